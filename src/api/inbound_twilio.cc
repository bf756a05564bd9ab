// POST /api/mlalert/v1/hooks/twilio/voice and /status: a key was pressed during a call, or the call is over.
// Signed by Twilio with the account's token over the address that we gave it, so that has to be the public
// one.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/durable.h"
#include "api/inbound.h"
#include "api/own_error.h"
#include "intake/signatures.h"
#include "notify/payload.h"
#include "template/quote.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 5> kOver{"completed", "busy", "failed", "no-answer", "canceled"};

struct Callback {
  ConfigPtr config;
  PhoneCall call;
  const TwilioConfig* twilio = nullptr;  // inside *config
  FormFields form;
};

// Answers by itself when it cannot be believed.
std::optional<Callback> ReadCallback(ApiContext& context, const HttpRequest& request, std::string_view path,
                                     HttpResponse& response) {
  Callback out;
  out.config = context.config ? context.config() : nullptr;
  auto links = out.config != nullptr ? LinksOf(context, *out.config)
                                     : Result<ActionLinks>(Fail(ErrorCode::kUnavailable, "no configuration"));
  if (!links) {
    SetOwnError(response, 503, links.error().message);
    return std::nullopt;
  }
  const std::string* text = request.Query("call");
  auto token =
      VerifyToken(text != nullptr ? *text : "", TokenPurpose::kCall, links->key, context.clock.Now());
  if (!token || token->targets.size() != 1) {
    SetOwnError(response, 403, "this is no call of this mlalert");
    return std::nullopt;
  }
  auto call = context.gate.Read(
      [&](Engine& engine) { return engine.FindCall(token->targets.front().id, context.clock.Now()); });
  const Receiver* receiver = call ? out.config->FindReceiver(call->receiver) : nullptr;
  if (receiver == nullptr || call->index >= receiver->twilio_configs.size()) {
    SetOwnError(response, 404, "this call is not known any more");
    return std::nullopt;
  }
  out.call = std::move(*call);
  out.twilio = &receiver->twilio_configs[out.call.index];
  auto secret =
      ReadSecret(out.twilio->auth_token, out.twilio->auth_token_file, "auth_token_file", context.files);
  if (!secret) {
    SetOwnError(response, 503, "the auth token cannot be read: " + secret.error().message);
    return std::nullopt;
  }
  auto form = ParseForm(request.body);
  if (!form) {
    SetOwnError(response, form.error());
    return std::nullopt;
  }
  out.form = std::move(*form);
  const std::string url = fmt::format("{}{}?{}", links->base_url, path, request.raw_query);
  const std::string tokens[] = {*secret};
  const SignatureVerdict verdict = VerifyTwilio(tokens, request.Header("X-Twilio-Signature"), url, out.form);
  if (verdict != SignatureVerdict::kValid) {
    SetOwnError(response, verdict == SignatureVerdict::kMissing ? 401 : 403,
                fmt::format("the signature {}", ToString(verdict)),
                "inbound.public_url must be the address under which Twilio reaches this mlalert");
    return std::nullopt;
  }
  return out;
}

bool IsMachine(const FormFields& form) {
  std::string_view by = FormField(form, "AnsweredBy");
  return by.starts_with("machine") || by == "fax";
}

void Say(HttpResponse& response, const TwilioConfig& twilio, std::string_view text) {
  response.status = 200;
  response.content_type = "text/xml; charset=utf-8";
  response.SetHeader("Cache-Control", "no-store");
  response.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"{}\">{}</Say><Hangup/></Response>",
      tmpl::EscapeHtml(twilio.language), tmpl::EscapeHtml(text));
}

// 1, and 4 as people who know PagerDuty's calls press.
bool Acknowledges(std::string_view digits) {
  return digits == "1" || digits == "4";
}

void PostVoice(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto callback = ReadCallback(context, request, kTwilioVoicePath, response);
  if (!callback) {
    return;
  }
  const PhoneCall& call = callback->call;
  const std::string_view digits = FormField(callback->form, "Digits");
  if (digits.empty() || IsMachine(callback->form)) {
    Say(response, *callback->twilio, "Goodbye.");
    return;
  }
  // The number is the person's, as far as we know: who holds the phone acts.
  const std::string& number =
      callback->twilio->to[std::min<size_t>(call.target, callback->twilio->to.size() - 1)];
  const Actor actor{fmt::format("{} (phone {})", call.receiver, number), "phone", number};
  std::vector<TokenTarget> targets;
  for (size_t i = 0; i < call.incidents.size(); ++i) {
    targets.push_back({call.incidents[i], call.generations[i]});
  }
  ActedOn acted;
  const uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    engine.EndCall(call.id, true, fmt::format("key {} was pressed", digits.substr(0, 1)), now, fx);
    if (Acknowledges(digits)) {
      acted = ActOnTargets(engine, TokenAction::kAcknowledge, targets, {}, actor, "", "", now, fx);
    }
  });
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    Say(response, *callback->twilio, "Taken, but not yet saved. Please look at the incident.");
    return;
  }
  if (!Acknowledges(digits)) {
    Say(response, *callback->twilio, "Not acknowledged. Goodbye.");
  } else if (acted.incidents.empty()) {
    Say(response, *callback->twilio, "This incident is over. Goodbye.");
  } else if (acted.changed == 0) {
    Say(response, *callback->twilio, "It was acknowledged already. Goodbye.");
  } else {
    Say(response, *callback->twilio, "Acknowledged. Goodbye.");
  }
}

void PostStatus(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto callback = ReadCallback(context, request, kTwilioStatusPath, response);
  if (!callback) {
    return;
  }
  const std::string_view status = FormField(callback->form, "CallStatus");
  uint64_t seq = 0;
  if (std::find(kOver.begin(), kOver.end(), status) != kOver.end()) {
    std::string why = IsMachine(callback->form) ? std::string("a machine answered")
                      : status == "completed"   ? std::string("no key was pressed")
                                                : fmt::format("the call ended: {}", status);
    seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
      engine.EndCall(callback->call.id, false, why, now, fx);
    });
  }
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetOwnError(response, 503, durable.error().message);
    return;
  }
  response.status = 204;
}

}  // namespace

void AddTwilioHooks(HttpRouter& router, ApiContext& context) {
  router.Post(
      kTwilioVoicePath,
      [&context](HttpRequest& request, HttpResponse& response) { PostVoice(context, request, response); },
      {.body_bytes_max = kInboundBodyBytesMax});
  router.Post(
      kTwilioStatusPath,
      [&context](HttpRequest& request, HttpResponse& response) { PostStatus(context, request, response); },
      {.body_bytes_max = kInboundBodyBytesMax});
}

}  // namespace mlalert
