// Reasons of a notification that only mlalert has and that no receiver tells apart: what the chain, business
// hours and flapping say. They stand behind those of NotifyReason, in a header of their own, because only the
// engine's flush and the decision (notify/dedup.h) know them. Thread: constants.
#pragma once

#include "notify/notification.h"

namespace mlalert {

inline constexpr auto kReasonEscalated = static_cast<NotifyReason>(32);  // a step of the chain is due
inline constexpr auto kReasonDigest =
    static_cast<NotifyReason>(33);  // what came and went outside business hours
inline constexpr auto kReasonFlapping = static_cast<NotifyReason>(34);  // it fires and resolves all the time
inline constexpr auto kReasonSettled =
    static_cast<NotifyReason>(35);  // it does not flap any more, and fires still

}  // namespace mlalert
