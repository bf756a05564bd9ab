// An alert the evaluator raises about itself: a data source that does not answer, a rule that cannot be
// evaluated. Used by: rules/datasource, rules/rule_group. Owns: whether it fires, since when, and when it was
// last sent. Thread: that of its owner.
#pragma once

#include "base/shared_text.h"
#include "base/time.h"
#include "model/label_set.h"
#include "rules/rule_effects.h"

namespace mlalert {

class SelfAlert {
 public:
  SelfAlert() = default;
  // Sent again every `resend_delay` while it fires; each time it is good for four times `horizon`, at least
  // four times `resend_delay`.
  SelfAlert(LabelSet labels, SharedText generator_url, Duration resend_delay, Duration horizon);

  bool firing() const { return IsSet(since_); }
  void SetTimes(Duration resend_delay, Duration horizon);

  // Sends at once when it was not firing; otherwise takes the new annotations along with the next refresh.
  void Fire(LabelSet annotations, Timestamp now, RuleEffects& fx);
  void Resolve(Timestamp now, RuleEffects& fx);
  // Ends what an earlier process may have left firing; nothing happens where it did not.
  void ResolveLeftover(Timestamp now, RuleEffects& fx);
  void Refresh(Timestamp now, RuleEffects& fx);
  // Takes over what `old`, which says the same, has firing; `old` fires no longer.
  void Continue(SelfAlert& old);
  // kNever while it does not fire.
  Timestamp NextRefresh() const;

 private:
  void Send(Timestamp now, Timestamp ends_at, RuleEffects& fx);

  LabelSet labels_;
  LabelSet annotations_;
  SharedText generator_url_;
  Duration resend_delay_{};
  Duration horizon_{};
  Timestamp since_ = kUnset;
  Timestamp last_sent_at_ = kUnset;
};

}  // namespace mlalert
