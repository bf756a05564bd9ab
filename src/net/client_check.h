// What upstream finds only when it builds its HTTP clients, at start and at a reload, and not when it reads
// the file (so `amtool check-config` lets it pass): secrets that only a secret manager would know, TLS
// versions in the wrong order, certificates that cannot be read. Used by: cli/http_clients. Reads files.
// Thread: any.
#pragma once

#include "base/http_client_config.h"
#include "base/result.h"

namespace mlalert {

Status CheckHttpClient(const HttpClientConfig& config);

}  // namespace mlalert
