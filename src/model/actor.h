// Who acts on an incident, and from where: what an event says about a person. Made by the doors through which
// people act (API, CLI, chat buttons, pagers, signed links, phone). Thread: plain value.
#pragma once

#include <string>

namespace mlalert {

struct Actor {
  std::string name;
  // The door: api | cli | ui | slack | pagerduty | link | phone | ...
  std::string via = "api";
  // As the door knows it: an IP address, a user id, a phone number. May be empty.
  std::string address;
};

}  // namespace mlalert
