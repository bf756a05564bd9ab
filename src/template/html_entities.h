// Character references in HTML attribute values ("&quot;", "&#39;"), for the contexts of scripts and styles.
// Only those that stand for ASCII matter to a context, so only those are known by name; the others stay.
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace mlalert::tmpl {

std::string UnescapeEntities(std::string_view text);

}  // namespace mlalert::tmpl
