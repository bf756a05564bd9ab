// The part of the engine that knows of phone calls: who was called, whether somebody pressed a key, and who
// is next. A call that was put through counts as told, not as heard: when it ends without a key, the log
// forgets that this receiver was told, and the group speaks again, to the next number.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/json.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

constexpr const char* kSource = "call";
constexpr Duration kCallLife = std::chrono::hours(24);
// How many numbers one receiver may have is bounded by the config; this is about what is read back.
constexpr size_t kIncidentsOfCallMax = 200;

PhoneCall::State StateFromString(std::string_view text) {
  for (auto state : {PhoneCall::State::kHeard, PhoneCall::State::kNotHeard, PhoneCall::State::kCancelled}) {
    if (text == ToString(state)) {
      return state;
    }
  }
  return PhoneCall::State::kCalling;
}

std::string ToJson(const PhoneCall& call) {
  Json json = Json::MakeObject();
  json.Set("state", ToString(call.state)).Set("receiver", call.receiver);
  json.Set("index", static_cast<int64_t>(call.index)).Set("target", static_cast<int64_t>(call.target));
  json.Set("group_key", call.group_key);
  if (IsSet(call.page_at)) {
    json.Set("page_at", ToUnixMillis(call.page_at));
  }
  Json incidents = Json::MakeArray();
  Json generations = Json::MakeArray();
  for (size_t i = 0; i < call.incidents.size(); ++i) {
    incidents.Push(call.incidents[i]);
    generations.Push(call.generations[i]);
  }
  json.Set("incidents", std::move(incidents)).Set("generations", std::move(generations));
  return json.Dump();
}

std::optional<PhoneCall> CallFromJson(std::string_view key, std::string_view text) {
  PhoneCall call;
  auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), call.id);
  auto json = ParseJson(text);
  if (error != std::errc() || end != key.data() + key.size() || !json || !json->is_object()) {
    return std::nullopt;
  }
  auto number = [&](std::string_view name) {
    const Json* value = json->Find(name);
    return value != nullptr ? static_cast<uint32_t>(value->AsInt()) : 0;
  };
  call.state = StateFromString(json->GetString("state"));
  call.receiver = json->GetString("receiver");
  call.index = number("index");
  call.target = number("target");
  call.group_key = json->GetString("group_key");
  if (const Json* page_at = json->Find("page_at")) {
    call.page_at = FromUnixMillis(page_at->AsInt());
  }
  const Json* incidents = json->Find("incidents");
  const Json* generations = json->Find("generations");
  if (incidents == nullptr || generations == nullptr ||
      incidents->AsArray().size() != generations->AsArray().size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < incidents->AsArray().size(); ++i) {
    call.incidents.push_back(incidents->AsArray()[i].AsInt());
    call.generations.push_back(generations->AsArray()[i].AsInt());
  }
  return call;
}

const TwilioConfig* TwilioOf(const Config& config, const std::string& receiver, uint32_t index) {
  const Receiver* found = config.FindReceiver(receiver);
  return found != nullptr && index < found->twilio_configs.size() ? &found->twilio_configs[index] : nullptr;
}

}  // namespace

std::string_view ToString(PhoneCall::State state) {
  switch (state) {
    case PhoneCall::State::kCalling:
      return "calling";
    case PhoneCall::State::kHeard:
      return "heard";
    case PhoneCall::State::kNotHeard:
      return "not_heard";
    case PhoneCall::State::kCancelled:
      return "cancelled";
  }
  return "";
}

bool Engine::IsCall(const Receiver& receiver, IntegrationRef integration) {
  return integration.kind == IntegrationKind::kTwilio &&
         receiver.twilio_configs[integration.index].method == TwilioMethod::kCall;
}

// Gives the notification the number of its call and says whom it is to.
void Engine::PrepareCall(Notification& n, const NflogEntry* logged, Timestamp now, Effects& fx) {
  n.call_id = next_call_id_++;
  n.call_target = 0;
  if (logged != nullptr && !logged->data.empty()) {
    if (auto data = ParseJson(logged->data)) {
      const Json* next = data->Find("next");
      n.call_target = next != nullptr ? static_cast<uint32_t>(std::max<int64_t>(next->AsInt(), 0)) : 0;
    }
  }
  n.receiver_data.clear();  // once it is sent, the next news begins at the first number again
  PhoneCall call;
  call.id = n.call_id;
  call.receiver = n.receiver->name;
  call.index = n.integration.index;
  call.target = n.call_target;
  call.group_key = n.group_key;
  if (const Group* group = dispatcher_.Find(n.group_id)) {
    call.page_at = group->page_at;
  }
  for (const NotifiedAlert& alert : n.alerts) {
    const bool known =
        std::find(call.incidents.begin(), call.incidents.end(), alert.incident_id) != call.incidents.end();
    if (!alert.resolved && alert.incident_id != 0 && !known && call.incidents.size() < kIncidentsOfCallMax) {
      call.incidents.push_back(alert.incident_id);
      call.generations.push_back(alert.generation);
    }
  }
  NoteCall(call, now, fx);
}

void Engine::NoteCall(const PhoneCall& call, Timestamp now, Effects& fx) {
  inbound_.Note(kSource, std::to_string(call.id), ToJson(call), kCallLife, now, fx.records);
}

std::optional<PhoneCall> Engine::FindCall(int64_t id, Timestamp now) const {
  const std::string key = std::to_string(id);
  const std::string* text = inbound_.Find(kSource, key, now);
  return text != nullptr ? CallFromJson(key, *text) : std::nullopt;
}

// After a restart nobody waits any more for how a call ended: give its callback some time, then go on.
void Engine::RestoreCalls(Timestamp now) {
  inbound_.ForEachOf(kSource, [&](const std::string& key, const std::string& text) {
    auto call = CallFromJson(key, text);
    if (!call) {
      return;
    }
    next_call_id_ = std::max(next_call_id_, call->id + 1);
    if (call->state == PhoneCall::State::kCalling) {
      timers_.Add(After(now, kCallPatience), {TimerKind::kCall, static_cast<uint64_t>(call->id)});
    }
  });
}

// An attempt to call has ended for good.
void Engine::ConcludeCall(const Notification& n, const NotificationOutcome& outcome, Timestamp now,
                          Effects& fx) {
  switch (outcome.verdict) {
    case DeliveryVerdict::kSent:
      if (auto call = FindCall(n.call_id, now); call && call->state == PhoneCall::State::kNotHeard) {
        CallNextNumber(*call, now, fx);  // it was over before its own request was answered
        break;
      }
      timers_.Add(After(now, n.receiver->twilio_configs[n.integration.index].ring_timeout + kCallPatience),
                  {TimerKind::kCall, static_cast<uint64_t>(n.call_id)});
      break;
    case DeliveryVerdict::kCancelled:
      if (auto call = FindCall(n.call_id, now); call && call->state == PhoneCall::State::kCalling) {
        call->state = PhoneCall::State::kCancelled;
        NoteCall(*call, now, fx);
      }
      break;
    default:
      FinishCall(n.call_id, false, outcome.error, !FailedBefore(n.call_id, now), now, fx);
      break;
  }
}

// Twilio reported about it, so it was made, whatever became of the answer to our request.
bool Engine::WasMade(const Notification& n, Timestamp now) const {
  const auto call = n.call_id != 0 ? FindCall(n.call_id, now) : std::nullopt;
  return call && (call->state == PhoneCall::State::kHeard || call->state == PhoneCall::State::kNotHeard);
}

bool Engine::HasNextNumber(const Notification& n) const {
  const TwilioConfig* twilio = TwilioOf(*config_, n.receiver->name, n.integration.index);
  return n.call_id != 0 && twilio != nullptr && n.call_target + 1 < twilio->to.size();
}

bool Engine::EndCall(int64_t id, bool heard, const std::string& why, Timestamp now, Effects& fx) {
  return FinishCall(id, heard, why, true, now, fx);
}

// What could not be told is asked for anew at each tick of its group; the chain need not hear of it each
// time.
bool Engine::FailedBefore(int64_t id, Timestamp now) const {
  const std::optional<PhoneCall> call = FindCall(id, now);
  bool failed = false;
  inbound_.ForEachOf(kSource, [&](const std::string& key, const std::string& text) {
    const auto other = CallFromJson(key, text);
    failed = failed || (call && other && other->id < call->id &&
                        other->state == PhoneCall::State::kNotHeard && other->receiver == call->receiver &&
                        other->index == call->index && other->target == call->target &&
                        other->group_key == call->group_key && other->page_at == call->page_at &&
                        other->incidents == call->incidents && other->generations == call->generations);
  });
  return failed;
}

// `hasten`: the chain goes on at once when there is no other number.
bool Engine::FinishCall(int64_t id, bool heard, const std::string& why, bool hasten, Timestamp now,
                        Effects& fx) {
  auto call = FindCall(id, now);
  if (!call || call->state != PhoneCall::State::kCalling) {
    return false;
  }
  call->state = heard ? PhoneCall::State::kHeard : PhoneCall::State::kNotHeard;
  NoteCall(*call, now, fx);
  const bool more = !heard && CallNextNumber(*call, now, fx);
  for (IncidentId incident_id : call->incidents) {
    const IncidentEntry* entry = incidents_.table().Find(incident_id);
    if (entry == nullptr) {
      continue;
    }
    EventRecord event = IncidentEvent(entry->incident, now, heard ? "call_heard" : "call_not_heard");
    event.actor = IntegrationName(call->receiver, ToString(IntegrationKind::kTwilio), call->index);
    event.reason = why;
    Json data = Json::MakeObject();
    data.Set("number", static_cast<int64_t>(call->target) + 1).Set("next_number", more);
    event.data = data.Dump();
    fx.records.emplace_back(std::move(event));
  }
  if (!heard && !more && hasten) {
    for (IncidentId incident_id : call->incidents) {
      (void)NotHeard(incident_id, call->receiver, why, now, fx);  // kNotFound: forgotten, so nobody waits
    }
  }
  return true;
}

// False: there is none, or nobody needs to be called any more.
bool Engine::CallNextNumber(const PhoneCall& call, Timestamp now, Effects& fx) {
  const TwilioConfig* twilio = TwilioOf(*config_, call.receiver, call.index);
  const bool wanted = std::any_of(call.incidents.begin(), call.incidents.end(), [&](IncidentId id) {
    const IncidentEntry* entry = incidents_.table().Find(id);
    return entry != nullptr && WaitsForSomebody(*entry);
  });
  if (twilio == nullptr || !wanted || call.target + 1 >= twilio->to.size()) {
    return false;
  }
  const std::string integration(ToString(IntegrationKind::kTwilio));
  NflogEntry& entry = nflog_[NflogKey(call.group_key, call.receiver, integration, call.index)];
  entry.group_key = call.group_key;
  entry.receiver = call.receiver;
  entry.integration = integration;
  entry.index = call.index;
  entry.timestamp = now;
  for (const auto& [group_id, group] : dispatcher_.groups()) {
    if (group->key == call.group_key && dispatcher_.ReceiverOf(*group) == call.receiver) {
      if (IsSet(group->page_at)) {
        // Before the page that asked for the call: it is still owed, also after a restart.
        entry.timestamp = std::min(entry.timestamp, group->page_at - std::chrono::milliseconds(1));
        for (GroupMember& member : group->members) {
          const auto& called = call.incidents;
          member.asked = member.asked ||
                         std::find(called.begin(), called.end(), member.alert()->incident_id) != called.end();
        }
      }
      dispatcher_.FlushEarly(group_id, now);
    }
  }
  entry.firing.clear();
  entry.data = Json::MakeObject().Set("next", static_cast<int64_t>(call.target) + 1).Dump();
  entry.expires_at = std::max(entry.expires_at, After(now, kCallLife));
  log_expires_at_ = std::min(log_expires_at_, entry.expires_at);
  fx.records.emplace_back(entry);
  return true;
}

}  // namespace mlalert
