// What chats and pagers are told when somebody has acknowledged: ours, so it replaces the texts of the
// config, which know only firing and resolved. Used by: the payload builders. Pure.
#pragma once

#include <string>
#include <string_view>

#include "notify/notification.h"
#include "notify/payload.h"

namespace mlalert {

bool IsAcknowledgement(const Notification& n);
// An acknowledgement after which nothing in the group still waits for somebody: for receivers whose state is
// that of the whole group.
bool AllAreTaken(const Notification& n);

// "[FIRING:2] A eu" becomes "[ACKNOWLEDGED] A eu"; a title of another shape keeps all of its text.
std::string AcknowledgedTitle(std::string_view title);

using EscapeText = std::string (*)(std::string_view text);
std::string Unescaped(std::string_view text);
// Markdown, with mentions made harmless.
std::string EscapeMarkdown(std::string_view text);

// "Acknowledged by Ann: on it"; what people wrote goes through `escape`.
std::string AcknowledgedText(const Notification& n, EscapeText escape);
// Title and text in one, for receivers that have a single text. Nothing when the title does not render.
std::string AcknowledgedMessage(const Notification& n, Renderer& render, EscapeText escape);

}  // namespace mlalert
