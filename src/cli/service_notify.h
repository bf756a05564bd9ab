// What systemd is told (Type=notify): one datagram to $NOTIFY_SOCKET; without that variable nothing happens.
// Thread: any.
#pragma once

#include <string_view>

#include "base/time.h"

namespace mlalert {

// `state` as sd_notify(3) has it: "READY=1", "STOPPING=1", lines separated by \n. Failures are ignored: the
// service manager's clock decides then.
void NotifyServiceManager(std::string_view state);

// How often the service manager wants to hear WATCHDOG=1, with time to spare; zero: never.
Duration WatchdogInterval();

}  // namespace mlalert
