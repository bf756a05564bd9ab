// The labels of a route (`labels:` in the routing tree) with their templates executed for one notification.
// Fed by: payload.cc, before the notification's own texts. Thread: any; nothing is kept.
#pragma once

#include "model/label_set.h"
#include "notify/payload.h"

namespace mlalert {

// Labels may use each other through `routeLabels "name"`; one that fails (a cycle, a broken template) is left
// out, as under Alertmanager.
LabelSet RenderRouteLabels(const Notification& n, const ReceiverContext& context);

}  // namespace mlalert
