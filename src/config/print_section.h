// Between the files that print a config only: one section's keys, in order, with Go's omitempty. Thread:
// pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "base/time.h"
#include "config/config.h"
#include "config/config_print.h"

namespace mlalert {

class PrintSection {
 public:
  explicit PrintSection(PrintFor reader) : reader_(reader) {}

  // Always there.
  void Put(std::string_view key, Json value) { out_.emplace_back(std::string(key), std::move(value)); }
  // Unless empty.
  void Text(std::string_view key, const std::string& text) {
    if (!text.empty()) {
      Put(key, text);
    }
  }
  void Hidden(std::string_view key, const Secret& secret) {
    if (!secret.empty()) {
      Put(key, kSecretMask);
    }
  }
  void Flag(std::string_view key, bool flag) {
    if (flag) {
      Put(key, flag);
    }
  }
  void Map(std::string_view key, const std::map<std::string, std::string>& map) {
    Json object = Json::MakeObject();
    for (const auto& [name, text] : map) {
      object.Set(name, text);
    }
    Object(key, std::move(object));
  }
  void Texts(std::string_view key, const std::vector<std::string>& list) {
    Json array = Json::MakeArray();
    for (const auto& text : list) {
      array.Push(text);
    }
    List(key, std::move(array));
  }
  void Object(std::string_view key, Json object) {
    if (!object.AsObject().empty()) {
      Put(key, std::move(object));
    }
  }
  void List(std::string_view key, Json list) {
    if (!list.AsArray().empty()) {
      Put(key, std::move(list));
    }
  }
  // Younger than amtool 0.25: for old clients only where the value is not the default.
  void Recent(std::string_view key, Json value, const Json& fallback) {
    if (reader_ == PrintFor::kNewest || !(value == fallback)) {
      Put(key, std::move(value));
    }
  }

  PrintFor reader() const { return reader_; }
  Json Take() { return Json(std::move(out_)); }

 private:
  PrintFor reader_;
  Json::Object out_;
};

Json PrintHttpConfig(const HttpClientConfig& config, PrintFor reader);
Json PrintTlsConfig(const TlsConfig& config, PrintFor reader);
Json PrintGlobal(const GlobalConfig& global, PrintFor reader);
Json PrintReceiver(const Receiver& receiver, PrintFor reader);
std::string JoinHostPort(const std::string& host, const std::string& port);

}  // namespace mlalert
