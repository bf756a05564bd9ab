#!/bin/sh
# Writes a CycloneDX bill of materials of the Debian system it runs in: sbom.sh FILE. Needs dpkg-query only.
set -eu
target=${1:?sbom.sh: which file?}
# shellcheck source=/dev/null
. /etc/os-release
mlalert=$(dpkg-query -W -f='${Version}' mlalert)
{
  printf '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,\n'
  printf '"metadata":{"component":{"type":"container","name":"mlalert","version":"%s"}},\n"components":[\n' \
    "$mlalert"
  # Names and versions of Debian packages hold no character that JSON escapes; in a purl + and : are.
  dpkg-query -W -f='${Package}\t${Version}\t${Architecture}\n' | sort | while IFS="$(printf '\t')" read -r name version arch; do
    escaped=$(printf '%s' "$version" | sed 's/+/%2B/g; s/:/%3A/g')
    printf '%s{"type":"library","name":"%s","version":"%s","purl":"pkg:deb/debian/%s@%s?arch=%s&distro=debian-%s"}\n' \
      "${comma:-}" "$name" "$version" "$(printf '%s' "$name" | sed 's/+/%2B/g')" "$escaped" "$arch" "$VERSION_ID"
    comma=,
  done
  printf ']}\n'
} >"$target"
