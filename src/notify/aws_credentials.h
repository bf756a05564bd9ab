// Where AWS keys and the region come from when the config does not have them: the environment, then the
// shared files (~/.aws/credentials and ~/.aws/config), as the AWS SDK looks. Not supported: instance and
// container metadata, web identity, SSO, processes; the error says so. Used by: notify/sns. Reads files;
// keeps nothing. Thread: any.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "config/receivers.h"
#include "notify/expiring_cache.h"
#include "notify/file_access.h"

namespace mlalert {

struct AwsSources {
  const FileAccess& files;
  // Empty when unset; a null function: nothing is set.
  const std::function<std::string(const char*)>& environment;

  std::string Variable(const char* name) const { return environment ? environment(name) : std::string(); }
};

// Codes kInvalid (nothing found) and kIo (a file that is there cannot be read).
Result<AwsCredentials> FindAwsCredentials(const SnsSigV4& config, const AwsSources& sources);
// Config, AWS_REGION, AWS_DEFAULT_REGION, the profile's region. kInvalid when none says it.
Result<std::string> FindAwsRegion(const SnsSigV4& config, const AwsSources& sources);

}  // namespace mlalert
