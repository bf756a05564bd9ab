#include "rules/self_alert.h"

#include <algorithm>
#include <utility>

namespace mlalert {

SelfAlert::SelfAlert(LabelSet labels, SharedText generator_url, Duration resend_delay, Duration horizon)
    : labels_(std::move(labels)), generator_url_(std::move(generator_url)) {
  SetTimes(resend_delay, horizon);
}

void SelfAlert::SetTimes(Duration resend_delay, Duration horizon) {
  resend_delay_ = resend_delay;
  horizon_ = 4 * std::max(resend_delay, horizon);
}

void SelfAlert::Fire(LabelSet annotations, Timestamp now, RuleEffects& fx) {
  annotations_ = std::move(annotations);
  if (!firing()) {
    since_ = now;
    Send(now, now + horizon_, fx);
  }
}

void SelfAlert::Resolve(Timestamp now, RuleEffects& fx) {
  if (firing()) {
    Send(now, now, fx);
    since_ = kUnset;
  }
}

void SelfAlert::ResolveLeftover(Timestamp now, RuleEffects& fx) {
  if (!firing()) {
    fx.alerts.push_back({labels_, annotations_, generator_url_, now, now});
  }
}

void SelfAlert::Refresh(Timestamp now, RuleEffects& fx) {
  // A clock that stepped back must not silence it.
  if (firing() && (now >= NextRefresh() || now < last_sent_at_)) {
    Send(now, now + horizon_, fx);
  }
}

void SelfAlert::Continue(SelfAlert& old) {
  if (old.labels_ == labels_ && old.firing()) {
    annotations_ = old.annotations_;
    since_ = std::exchange(old.since_, kUnset);
    last_sent_at_ = old.last_sent_at_;
  }
}

Timestamp SelfAlert::NextRefresh() const {
  return firing() ? last_sent_at_ + resend_delay_ : kNever;
}

void SelfAlert::Send(Timestamp now, Timestamp ends_at, RuleEffects& fx) {
  last_sent_at_ = now;
  fx.alerts.push_back({labels_, annotations_, generator_url_, since_, ends_at});
}

}  // namespace mlalert
