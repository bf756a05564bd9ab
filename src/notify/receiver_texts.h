// Every text of a receiver that may hold template actions. Read by: NotifyTemplates, which parses them at
// load, and `check`. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/receivers.h"

namespace mlalert {

struct ReceiverText {
  std::string_view text;
  std::string_view where;  // "slack_configs[0].fields[1].title"
  bool secret = false;     // errors must not quote it
  bool html = false;       // rendered with HTML escaping
};

// In the order of the file's keys within a list, lists in the order of IntegrationKind.
void VisitTexts(const Receiver& receiver, const std::function<void(const ReceiverText&)>& visit);

}  // namespace mlalert
