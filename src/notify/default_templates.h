// The built-in templates that receivers' default texts call, under the names that users' template files
// override. Read by: template_set. What they print is part of the compatibility promise: tests hold it byte
// for byte. Thread: constant.
#pragma once

#include <string>

namespace mlalert {

std::string DefaultTemplateText();
// "email.default.subject" and "email.default.html".
std::string DefaultEmailText();

}  // namespace mlalert
