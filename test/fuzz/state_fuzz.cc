// Alertmanager's state files, read once at the first start.
#include <string_view>

#include "fuzz.h"
#include "storage/alertmanager_state.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = FuzzText(data, size);
  for (const StoredSilence& stored : DecodeSilences(text).entries) {
    FUZZ_CHECK(!stored.silence.id.empty());
    FUZZ_CHECK(!stored.silence.matchers.empty());
  }
  for (const NflogEntry& entry : DecodeNflog(text).entries) {
    FUZZ_CHECK(entry.foreign && !entry.group_key.empty());
  }
  return 0;
}
