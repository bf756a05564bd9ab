// The parts of a mail: header lines that nothing from a label can break, and bodies that pass every relay.
// The encodings are Go's (mime, mime/quotedprintable, mime/multipart), byte for byte.
// Used by: notify/email. Pure. Thread: plain values.
#pragma once

#include <string>
#include <string_view>

namespace mlalert {

// RFC 2047, encoding Q, where the text needs it: "bé" is "=?utf-8?q?b=C3=A9?=". A line break needs it too,
// so no text starts another header.
std::string EncodeHeaderText(std::string_view text);
// Of an address list: the display names encoded one by one, so that addresses stay readable for the relay.
// What is no address list is encoded as text.
std::string EncodeAddressHeader(std::string_view text);
// "Name: value" with its line end; folded at blanks where it would be longer than RFC 5322 allows.
std::string HeaderLine(std::string_view name, std::string_view value);
// RFC 5322 token, without colon.
bool IsMailHeaderName(std::string_view name);

// Lines end with CRLF and are at most 76 characters long.
std::string QuotedPrintable(std::string_view text);

// A multipart body.
class MultipartBody {
 public:
  explicit MultipartBody(std::string boundary) : boundary_(std::move(boundary)) {}
  // `content_type` without charset: UTF-8 always.
  void Add(std::string_view content_type, std::string_view text);
  // The whole, with its last boundary.
  std::string Finish() const;

 private:
  std::string boundary_;
  std::string out_;
};

}  // namespace mlalert
