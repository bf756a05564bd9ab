// The main config: anything may be refused, nothing may crash, hang or be accepted in one mode only by luck.
#include "config/config_loader.h"
#include "fuzz.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ConfigPtr config;
  Diagnostics found = LoadConfigText(FuzzText(data, size), "fuzz.yml", config);
  FUZZ_CHECK(found.ok() == (config != nullptr));
  (void)found.ToText();
  (void)found.ToJson();
  return 0;
}
