// A query as a command that a person can paste into a shell. What may be a secret is masked: values of
// headers and parameters whose names speak of one, and all of http_config, of which only the kind is told.
// Read by: the API. Pure.
#pragma once

#include <string>

#include "net/transport.h"

namespace mlalert {

std::string CurlCommand(const HttpCall& call);

}  // namespace mlalert
