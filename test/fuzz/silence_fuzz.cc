// The body of POST /api/v2/silences, and what the store of silences makes of it.
#include "api/silence_decoder.h"
#include "fuzz.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SilenceRequest request;
  SilenceDecodeFailure failure;
  if (!DecodeSilence(FuzzText(data, size), request, failure)) {
    FUZZ_CHECK(failure.http_status >= 400 && !failure.message.empty());
  }
  (void)IsUuid(FuzzText(data, size));
  return 0;
}
