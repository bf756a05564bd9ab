// Whether the HTTP clients that a config asks for can be made (net/client_check). Used by: the daemon at
// start and at a reload, which refuse a config whose receivers could never be reached, as upstream does.
// Thread: any.
#pragma once

#include "config/config.h"

namespace mlalert {

// Of the receivers that a route, or something of ours, may speak to; of data sources and Alertmanagers.
Status CheckHttpClients(const Config& config);

}  // namespace mlalert
