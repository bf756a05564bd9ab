// Short ways to make the nouns in tests.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "intake/decoded_alert.h"
#include "model/label_set.h"

namespace mlalert::testing {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline LabelSet Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  return LabelSet::From(labels);
}

// A decoded alert with its backing store.
class AlertInput {
 public:
  AlertInput(const LabelSet& labels, Timestamp starts_at, Timestamp ends_at, const LabelSet& annotations = {})
      : label_set_(labels), annotation_set_(annotations) {
    for (Label label : label_set_) {
      labels_.push_back(label);
    }
    for (Label label : annotation_set_) {
      annotations_.push_back(label);
    }
    starts_at_ = starts_at;
    ends_at_ = ends_at;
  }

  DecodedAlert Get() const {
    DecodedAlert alert;
    alert.labels = labels_;
    alert.annotations = annotations_;
    alert.starts_at = starts_at_;
    alert.ends_at = ends_at_;
    alert.fingerprint = label_set_.fingerprint();
    return alert;
  }

 private:
  LabelSet label_set_, annotation_set_;
  std::vector<Label> labels_, annotations_;
  Timestamp starts_at_, ends_at_;
};

}  // namespace mlalert::testing
