// The functions of notification templates: Alertmanager's set.
// Thread: the map is immutable.
#pragma once

#include "template/func_map.h"

namespace mlalert::tmpl {

// toUpper toLower title trimSpace join match safeHtml safeUrl urlUnescape reReplaceAll stringSlice date tz
// since humanizeDuration toJson list append dict now toDate mustToDate base64encode base64decode routeLabels.
const FuncMap& NotifyFunctions();

}  // namespace mlalert::tmpl
