// The functions of rule templates: the union of Prometheus' and vmalert's sets.
// Where the two differ (title, strvalue, parseDuration), Prometheus' meaning is used.
// Thread: the map is immutable.
#pragma once

#include "template/func_map.h"

namespace mlalert::tmpl {

// query first value label strvalue sortByLabel args title toUpper toLower match reReplaceAll graphLink
// tableLink pathPrefix externalURL stripPort stripDomain humanize* toTime toDuration now parseDuration
// safeHtml and the escapes of both.
const FuncMap& RuleFunctions();

}  // namespace mlalert::tmpl
