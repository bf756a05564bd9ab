// What comes from outside to the signed doors: PagerDuty's events, Slack's presses, forms, headers, tokens.
// The first byte chooses.
#include <string>

#include "fuzz.h"
#include "intake/pagerduty_event.h"
#include "intake/signatures.h"
#include "intake/slack_click.h"
#include "model/action_token.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text = FuzzText(data + 1, size - 1);
  const std::string secrets[] = {"secret", ""};
  switch (data[0] % 4) {
    case 0:
      if (auto event = DecodePagerdutyEvent(text)) {
        FUZZ_CHECK(!event->type.empty());
        FUZZ_CHECK(event->text.size() <= 4000);
      }
      break;
    case 1:
      if (auto click = DecodeSlackClick(text)) {
        WithButtonRow(click->message, "mlalert", Json());
      }
      break;
    case 2:
      if (auto form = ParseForm(text)) {
        FUZZ_CHECK(form->size() <= kFormFieldsMax);
        FUZZ_CHECK(VerifyTwilio(secrets, "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", text, *form) !=
                   SignatureVerdict::kValid);
      }
      FUZZ_CHECK(VerifySlack(secrets, text, text, text, kUnset) != SignatureVerdict::kValid);
      FUZZ_CHECK(VerifyPagerduty(secrets, text, text) != SignatureVerdict::kValid);
      break;
    default:
      FUZZ_CHECK(!VerifyToken(text, TokenPurpose::kLink, "0123456789abcdef", kUnset));
      break;
  }
  return 0;
}
