#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_sso authors
# A "legacy" CGI application that knows nothing of OAuth: it answers with its environment as JSON.
printf 'Content-Type: application/json\r\n\r\n'
exec awk 'BEGIN {
  printf "{"; comma = ""
  for (name in ENVIRON) {
    value = ENVIRON[name]
    gsub(/\\/, "\\\\\\\\", value); gsub(/"/, "\\\"", value); gsub(/\t/, "\\t", value)
    gsub(/\r/, "\\r", value); gsub(/\n/, "\\n", value)
    printf "%s\"%s\":\"%s\"", comma, name, value; comma = ","
  }
  print "}"
}'
