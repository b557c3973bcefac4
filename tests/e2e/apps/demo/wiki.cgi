#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_sso authors
# A "legacy" wiki as a CGI script. It knows nothing of OAuth: it shows who httpd says is there, and its environment.
printf 'Content-Type: text/html; charset=utf-8\r\n\r\n'
exec awk '
function html(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); return text }
BEGIN {
  print "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Wiki</title><link rel=\"stylesheet\" href=\"/demo.css\"></head><body><main>"
  print "<h1>Wiki (a CGI script)</h1><p>Hello, <strong>" html(ENVIRON["REMOTE_USER"]) "</strong>. This is what httpd told me:</p><table>"
  for (name in ENVIRON) if (name ~ /^(REMOTE_USER|AUTH_TYPE|SSO_|HTTP_X_|HTTP_COOKIE|QUERY_STRING)/)
    print "<tr><th>" html(name) "</th><td>" html(ENVIRON[name]) "</td></tr>"
  print "</table><p><a href=\"/\">Start page</a> &middot; <a href=\"/sso/logout\">Sign out</a></p></main></body></html>"
}'
