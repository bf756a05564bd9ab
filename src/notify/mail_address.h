// Address lists of mails: RFC 5322 as Go's net/mail reads it (names, quoted strings, comments, groups; UTF-8
// allowed). Used by: notify/email. Pure. Thread: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlalert {

struct MailAddress {
  std::string name;     // decoded, may be empty
  std::string address;  // as SMTP wants it: a local part that needs quotes has them
};

// At least one address; errors are Go's ("mail: missing '@' or angle-addr"), code kInvalid. Line breaks count
// as blanks: lists in YAML blocks end with one.
Result<std::vector<MailAddress>> ParseAddressList(std::string_view text);

}  // namespace mlalert
