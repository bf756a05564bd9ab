#include "notify/aws_credentials.h"

#include <fmt/format.h>
#include <map>
#include <string_view>

namespace mlalert {
namespace {

using Section = std::map<std::string, std::string>;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The keys of one [section]; lines that are none are passed over, as the SDK does.
Section ReadSection(std::string_view text, std::string_view wanted) {
  Section out;
  bool inside = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (line.front() == '[') {
      inside = Trim(line.substr(1, line.find(']') - 1)) == wanted;
    } else if (const size_t equals = line.find('='); inside && equals != std::string_view::npos) {
      out[std::string(Trim(line.substr(0, equals)))] = Trim(line.substr(equals + 1));
    }
  }
  return out;
}

std::string SharedFile(const AwsSources& sources, const char* variable, const char* name) {
  std::string path = sources.Variable(variable);
  if (path.empty()) {
    const std::string home = sources.Variable("HOME");
    path = home.empty() ? "" : home + "/.aws/" + name;
  }
  return path;
}

std::string ProfileOf(const SnsSigV4& config, const AwsSources& sources) {
  if (!config.profile.empty()) {
    return config.profile;
  }
  const std::string profile = sources.Variable("AWS_PROFILE");
  return profile.empty() ? "default" : profile;
}

// Empty when there is no such file or profile.
Result<Section> ReadProfile(const std::string& path, std::string_view section, const AwsSources& sources) {
  if (path.empty()) {
    return Section();
  }
  auto text = sources.files.read(path, kKeyFileBytesMax);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return Section();
  }
  if (!text) {
    return Fail(std::move(text.error()).Context("read AWS credentials"));
  }
  return ReadSection(*text, section);
}

AwsCredentials FromSection(Section& section) {
  return {section["aws_access_key_id"], section["aws_secret_access_key"], section["aws_session_token"]};
}

}  // namespace

Result<AwsCredentials> FindAwsCredentials(const SnsSigV4& config, const AwsSources& sources) {
  if (!config.access_key.empty()) {
    return AwsCredentials{config.access_key, config.secret_key.Reveal(), ""};
  }
  // A profile named in the config goes before keys of the environment.
  if (config.profile.empty()) {
    AwsCredentials keys{sources.Variable("AWS_ACCESS_KEY_ID"), sources.Variable("AWS_SECRET_ACCESS_KEY"),
                        sources.Variable("AWS_SESSION_TOKEN")};
    if (!keys.access_key.empty() && !keys.secret_key.empty()) {
      return keys;
    }
  }
  const std::string profile = ProfileOf(config, sources);
  MLALERT_ASSIGN(
      Section section,
      ReadProfile(SharedFile(sources, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile, sources));
  AwsCredentials keys = FromSection(section);
  if (keys.access_key.empty() || keys.secret_key.empty()) {
    MLALERT_ASSIGN(section, ReadProfile(SharedFile(sources, "AWS_CONFIG_FILE", "config"),
                                        profile == "default" ? profile : "profile " + profile, sources));
    keys = FromSection(section);
  }
  if (keys.access_key.empty() || keys.secret_key.empty()) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("no AWS credentials found: neither sigv4.access_key, nor AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY, nor profile \"{}\" in the shared credentials file (instance "
                    "metadata, container credentials and web identity are not supported)",
                    profile));
  }
  return keys;
}

Result<std::string> FindAwsRegion(const SnsSigV4& config, const AwsSources& sources) {
  if (!config.region.empty()) {
    return config.region;
  }
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (std::string region = sources.Variable(variable); !region.empty()) {
      return region;
    }
  }
  const std::string profile = ProfileOf(config, sources);
  MLALERT_ASSIGN(Section section,
                 ReadProfile(SharedFile(sources, "AWS_CONFIG_FILE", "config"),
                             profile == "default" ? profile : "profile " + profile, sources));
  if (section["region"].empty()) {
    return Fail(ErrorCode::kInvalid, "region not configured in sigv4 or in default credentials chain");
  }
  return section["region"];
}

}  // namespace mlalert
