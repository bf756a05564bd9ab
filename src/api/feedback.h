// Feedback on incidents for every door it may come through: HTTP, buttons of chats, signed links.
// Thread: any worker.
#pragma once

#include <string>

#include "api/api.h"
#include "model/memory_record.h"

namespace mlalert {

// Brings verdict and resolution into their written form. kInvalid: no actor, unknown words, a link that is
// none.
Status CheckFeedback(FeedbackRecord& feedback);

// Writes it down, durably, also for incidents that are over. `address`: where it came from. kNotFound: no
// such incident. kUnavailable: taken, but not yet on disk.
Status GiveFeedback(ApiContext& context, const FeedbackRecord& feedback, const std::string& address);

}  // namespace mlalert
