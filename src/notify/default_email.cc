// The HTML mail. Its text is what upstream's template prints, byte for byte; "@" stands for the style that
// nearly every element repeats, because many mail programs ignore style sheets, and "%" for that of its table
// cells.
#include <string>

#include "notify/default_templates.h"

namespace mlalert {
namespace {

constexpr std::string_view kStyle =
    "margin: 0; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; "
    "font-size: "
    "14px;";
constexpr std::string_view kCellStyle = " vertical-align: top; padding: 0 0 20px;";

constexpr std::string_view kHead = R"TEMPLATE(
{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end -}}

{{ define "email.default.html" }}

<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" style="@">
<head>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<title>{{ template "__subject" . }}</title>
<style>
@media only screen and (max-width: 640px) {
  body {
    padding: 0 !important;
  }

  h1,
h2,
h3,
h4 {
    font-weight: 800 !important;
    margin: 20px 0 5px !important;
  }

  h1 {
    font-size: 22px !important;
  }

  h2 {
    font-size: 18px !important;
  }

  h3 {
    font-size: 16px !important;
  }

  .container {
    padding: 0 !important;
    width: 100% !important;
  }

  .content {
    padding: 0 !important;
  }

  .content-wrap {
    padding: 10px !important;
  }

  .invoice {
    width: 100% !important;
  }
}
</style>
</head>

<body itemscope itemtype="https://schema.org/EmailMessage" style="@ -webkit-font-smoothing: antialiased; -webkit-text-size-adjust: none; height: 100%; line-height: 1.6em; background-color: #f6f6f6; width: 100%;">

<table class="body-wrap" style="@ background-color: #f6f6f6; width: 100%;" width="100%" bgcolor="#f6f6f6">
  <tr style="@">
    <td style="@ vertical-align: top;" valign="top"></td>
    <td class="container" width="600" style="font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; font-size: 14px; vertical-align: top; display: block; max-width: 600px; margin: 0 auto; clear: both;" valign="top">
      <div class="content" style="font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; font-size: 14px; max-width: 600px; margin: 0 auto; display: block; padding: 20px;">
        <table class="main" width="100%" cellpadding="0" cellspacing="0" style="@ background-color: #fff; border: 1px solid #e9e9e9; border-radius: 3px;" bgcolor="#fff">
          <tr style="@">
            {{ if .Alerts.Firing }}
            <td class="alert alert-warning" style="margin: 0; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; vertical-align: top; font-size: 16px; color: #fff; font-weight: 500; padding: 20px; text-align: center; border-radius: 3px 3px 0 0; background-color: #E6522C;" valign="top" align="center" bgcolor="#E6522C">
              {{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}
                {{ .Name }}={{ .Value }}
              {{ end }}
            </td>
            {{ else }}
            <td class="alert alert-good" style="margin: 0; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; vertical-align: top; font-size: 16px; color: #fff; font-weight: 500; padding: 20px; text-align: center; border-radius: 3px 3px 0 0; background-color: #68B90F;" valign="top" align="center" bgcolor="#68B90F">
              {{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}
                {{ .Name }}={{ .Value }} 
              {{ end }}
            </td>
            {{ end }}
          </tr>
          <tr style="@">
            <td class="content-wrap" style="@ vertical-align: top; padding: 30px;" valign="top">
              <table width="100%" cellpadding="0" cellspacing="0" style="@">
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <a href="{{ template "__alertmanagerURL" . }}" class="btn-primary" style="@ text-decoration: none; color: #FFF; background-color: #348eda; border: solid #348eda; border-width: 10px 20px; line-height: 2em; font-weight: bold; text-align: center; cursor: pointer; display: inline-block; border-radius: 5px; text-transform: capitalize;">View in {{ template "__alertmanager" . }}</a>
                  </td>
                </tr>
)TEMPLATE";

constexpr std::string_view kRows = R"TEMPLATE(                {{ if .Alerts.Firing }}
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <strong style="@">[{{ len .Alerts.Firing }}] Firing</strong>
                  </td>
                </tr>
                {{ end }}
                {{ range .Alerts.Firing }}
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <strong style="@">Labels</strong><br style="@">
                    {{ range .Labels.SortedPairs }}{{ .Name }} = {{ .Value }}<br style="@">{{ end }}
                    {{ if .Annotations }}<strong style="@">Annotations</strong><br style="@">{{ end }}
                    {{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value }}<br style="@">{{ end }}
                    <a href="{{ .GeneratorURL }}" style="@ color: #348eda; text-decoration: underline;">Source</a><br style="@">
                  </td>
                </tr>
                {{ end }}

                {{ if .Alerts.Resolved }}
                  {{ if .Alerts.Firing }}
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <br style="@">
                    <hr style="@">
                    <br style="@">
                  </td>
                </tr>
                  {{ end }}
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <strong style="@">[{{ len .Alerts.Resolved }}] Resolved</strong>
                  </td>
                </tr>
                {{ end }}
                {{ range .Alerts.Resolved }}
                <tr style="@">
                  <td class="content-block" style="%" valign="top">
                    <strong style="@">Labels</strong><br style="@">
                    {{ range .Labels.SortedPairs }}{{ .Name }} = {{ .Value }}<br style="@">{{ end }}
                    {{ if .Annotations }}<strong style="@">Annotations</strong><br style="@">{{ end }}
                    {{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value }}<br style="@">{{ end }}
                    <a href="{{ .GeneratorURL }}" style="@ color: #348eda; text-decoration: underline;">Source</a><br style="@">
                  </td>
                </tr>
                {{ end }}
              </table>
            </td>
          </tr>
        </table>

        <div class="footer" style="@ width: 100%; clear: both; color: #999; padding: 20px;">
          <table width="100%" style="@">
            <tr style="@">
              <td class="aligncenter content-block" style="margin: 0; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; vertical-align: top; padding: 0 0 20px; text-align: center; color: #999; font-size: 12px;" valign="top" align="center"><a href="{{ .ExternalURL }}" style="margin: 0; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box; text-decoration: underline; color: #999; font-size: 12px;">Sent by {{ template "__alertmanager" . }}</a></td>
            </tr>
          </table>
        </div></div>
    </td>
    <td style="@ vertical-align: top;" valign="top"></td>
  </tr>
</table>

</body>
</html>

{{ end }}
)TEMPLATE";

// The short forms stand only where an attribute begins.
void AppendExpanded(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i]);
    char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '"' && (next == '@' || next == '%')) {
      out += kStyle;
      out += next == '%' ? kCellStyle : std::string_view();
      ++i;
    }
  }
}

}  // namespace

std::string DefaultEmailText() {
  std::string out;
  AppendExpanded(out, kHead);
  AppendExpanded(out, kRows);
  return out;
}

}  // namespace mlalert
