// What a record is called and how much memory it holds. Used by the journal. Thread: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/record.h"

namespace mlalert {

// "incident", "episode", ...: for log lines and events about records.
std::string_view RecordKind(const Record& record);
// Estimate of the memory a queued record holds, label sets counted as if not shared.
size_t RecordBytes(const Record& record);

}  // namespace mlalert
