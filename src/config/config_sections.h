// Between the parts of the config loader only: one function per section of the file, and the fields they
// share. Every function reports what is wrong through the values it reads, and goes on. Thread: confined to
// one load.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/config_loader.h"
#include "config/yaml_reader.h"

namespace mlalert {

// What sections need of each other. The root is read in an order that fills this before it is used.
struct LoadContext {
  ConfigOptions options;
  std::string directory;  // of the config file
  std::set<std::string> time_interval_names;
};

// --- config_fields.cc: fields that many sections share ---

// Plain URL: http(s) with a host. Null leaves `out` as it is.
bool ReadUrl(YamlMap& map, std::string_view key, std::string& out);
// The same for a secret one. `<secret>`, a masked copy of a config, is accepted. `allow_template`: text with
// {{ is checked as a template instead.
bool ReadSecretUrl(YamlMap& map, std::string_view key, Secret& out, bool allow_template = false);
bool ReadIfSet(YamlMap& map, std::string_view key, Duration& out);
// A `matchers` list of strings, appended to `out`.
void ReadMatcherList(YamlMap& map, std::string_view key, const LoadContext& context, Matchers& out);
// Deprecated match / match_re maps, appended to `out`.
void ReadMatchMap(YamlMap& map, std::string_view key, bool regex, Matchers& out);
bool IsLabelName(std::string_view name, const LoadContext& context);
std::string Quoted(std::string_view text);
// "host:port"; empty is no address. Errors are those of Go's net.SplitHostPort.
void ReadHostPort(YamlMap& map, std::string_view key, HostPort& out);
// Go's textproto.CanonicalMIMEHeaderKey: what is no token stays as it is.
std::string CanonicalHeader(std::string_view name);
// "at most one of A & B must be configured", at B, when both are set.
void CheckPair(const YamlMap& map, std::string_view a, bool a_set, std::string_view b, bool b_set);

// --- one per section ---

// Follows redirects and speaks HTTP/2 when the section says nothing. Null gives the defaults.
HttpConfigPtr ReadHttpConfig(const YamlValue& value, const std::string& directory);
// The same where the section stands among other keys of one map (`own_keys`): it reports what neither knows.
HttpConfigPtr ReadInlineHttpConfig(const YamlValue& value, const std::string& directory,
                                   std::span<const std::string_view> own_keys);
// tls_config of mail, whose files are relative to the working directory.
TlsConfig ReadTlsConfig(const YamlValue& value);

// A map of header names to values, secrets and files, as http_headers has it; checked only.
void ReadHttpHeaders(YamlMap& map, std::string_view key);
// tracing and event_recorder, which are checked only.
void ReadObservability(YamlMap& root);

void ReadGlobal(YamlMap& root, const LoadContext& context, GlobalConfig& out);
void ReadReceivers(const YamlValue& value, const LoadContext& context, const GlobalConfig& global,
                   std::vector<Receiver>& out);
void ReadTimeIntervals(const YamlValue& value, bool deprecated_key, LoadContext& context,
                       std::vector<NamedTimeInterval>& out);
// One entry of such an interval.
void ReadTimeIntervalSpec(const YamlValue& item, TimeIntervalSpec& out);
// calendars and schedules. Receivers are known already.
void ReadCalendars(YamlMap& root, const LoadContext& context, Config& out);
void ReadSchedules(YamlMap& root, Config& out);
// incident_policies. Receivers, calendars and schedules are known already.
void ReadPolicies(YamlMap& root, const LoadContext& context, Config& out);
void ReadResponseTargets(YamlMap& root, Config& out);
void ReadCalm(YamlMap& root, const LoadContext& context, Config& out);
// Says so when `name` is neither a receiver nor a schedule.
void CheckReceiverName(const YamlValue& item, const std::string& name, const Config& config);
// The same for calendars.
void CheckCalendarName(const YamlValue& item, const std::string& name, const Config& config);
// Fills the whole tree, defaults and inheritance included.
void ReadRootRoute(const YamlValue& value, const LoadContext& context, const Config& config, Route& out);
void ReadInhibitRules(const YamlValue& value, const LoadContext& context, std::vector<InhibitRule>& out);
// `receivers`: whose buttons need a secret.
void ReadInbound(YamlMap& root, const LoadContext& context, const std::vector<Receiver>& receivers,
                 InboundConfig& out);
// The keys that Alertmanager does not have.
void ReadMlalertSections(YamlMap& root, const LoadContext& context, Config& out);
// After the receivers.
void ReadReview(YamlMap& root, Config& out);
// A zone of the system's tz database.
bool IsTimeZone(const std::string& name);

// evaluation, no_data_policies, heartbeat
void ReadEvaluationSections(YamlMap& root, const LoadContext& context, Config& out);
// alerting, as in prometheus.yml
void ReadAlerting(YamlMap& root, const LoadContext& context, AlertingConfig& out);

// --- config_lint.cc ---

// Warns about what is legal and most likely not meant.
void LintConfig(const YamlMap& root, const Config& config);

}  // namespace mlalert
