/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_FAULTCODES_H
#define BASE_FAULTCODES_H

/* Every reason code, one row each: name, the stable word, HTTP status, the sentence for the user, and cause
 * and cure for the administrator. docs/faults.md is printed from these rows. A word never changes its
 * meaning. */

#define SENTENCE_AGAIN "The sign-in could not be completed. Please try again."
#define SENTENCE_PROVIDER                                                                                    \
    "The sign-in service does not answer properly at the moment. Please try again in a little while."
#define SENTENCE_STORE                                                                                       \
    "Your session cannot be looked up at the moment. You are still signed in; please try again in a little " \
    "while."
#define SENTENCE_UNTRUSTED                                                                                   \
    "The sign-in service sent an answer that could not be trusted. Please try again, or tell your "          \
    "administrator."

/* clang-format off */
#define FAULT_ROWS(X) \
    X(STATE_MISSING, "state_missing", 400, SENTENCE_AGAIN, \
      "The callback address was opened without a `state` parameter.", \
      "Nothing to do when somebody opened the address by hand; otherwise the provider drops the parameter.") \
    X(STATE_UNKNOWN, "state_unknown", 400, SENTENCE_AGAIN, \
      "No ticket cookie belongs to this `state`: the login was started in another browser or under another host name, or cookies are blocked.", \
      "Compare the host name where the login starts with the one of the redirect URI; set SSOBaseURL.") \
    X(STATE_EXPIRED, "state_expired", 400, "The sign-in page was open for too long. Please start again.", \
      "The login was begun more than an hour ago.", "The user starts again from the application.") \
    X(STATE_USED, "state_used", 400, "This sign-in was already completed. Please go back to the application.", \
      "The same callback was requested twice: reload, double click or a replay.", "Nothing; the first request counted.") \
    X(CALLBACK_MALFORMED, "callback_malformed", 400, SENTENCE_AGAIN, \
      "The callback carries a parameter twice, no code, tokens in the front channel, or bytes that do not belong there.", \
      "Check the provider's response mode (query) and response type (code).") \
    X(CALLBACK_ORIGIN, "callback_origin", 400, SENTENCE_AGAIN, \
      "The callback arrived under another scheme, host or port than the login had started with.", \
      "Use one public address; set SSOBaseURL.") \
    X(ISSUER_MISMATCH, "issuer_mismatch", 400, SENTENCE_UNTRUSTED, \
      "`iss` of the authorization response is missing though promised, or is not the configured issuer (RFC 9207).", \
      "Compare SSOIssuer with the provider's metadata, character by character.") \
    X(LOGIN_REFUSED, "login_refused", 403, "The sign-in service refused the sign-in.", \
      "The provider answered the authorization request with an error, which the log names.", \
      "See the provider's own log; often the user pressed cancel or lacks a right there.") \
    X(LOGIN_UNAVAILABLE, "login_unavailable", 503, SENTENCE_PROVIDER, \
      "The provider answered `temporarily_unavailable` or `server_error`.", "Wait; see the provider's log.") \
    X(LOGIN_LOOP, "login_loop", 400, "Your browser signs in again and again without keeping the session. Please allow cookies for this site.", \
      "Several logins were completed within a minute, but the session cookie did not come back.", \
      "Check SSOCookie and SSOBaseURL; check that no proxy removes Set-Cookie.") \
    X(TARGET_REFUSED, "target_refused", 400, "The address to go to afterwards is not allowed.", \
      "A return or logout target points to another origin or to the module's own endpoints.", \
      "Allow it exactly with SSOAfterLogout, or use a path of this site.") \
    X(CROSS_SITE, "cross_site", 403, "This request came from another site and was not carried out.", \
      "Another site tried to sign the user out without a page that he sees.", "Nothing; link to SSOPath/logout from your own pages.") \
    X(METHOD_REFUSED, "method_refused", 405, "This address does not accept this kind of request.", \
      "An endpoint of the module was called with a method that it does not offer.", "Call it as docs/directives.md says.") \
    X(ENDPOINT_UNKNOWN, "endpoint_unknown", 404, "There is nothing at this address.", \
      "Below SSOPath there are only the module's own endpoints.", "Move SSOPath if the application needs this path.") \
    X(HOST_UNKNOWN, "host_unknown", 400, "This address is not served here.", \
      "The request names no usable host.", "Set ServerName, or SSOBaseURL.") \
    X(LOGIN_REQUIRED, "login_required", 401, "Please sign in first.", \
      "There is no session, and the request is not a navigation that could be sent to the provider.", \
      "The application's script should open the login URL that the answer names.") \
    X(SESSION_ENDED, "session_ended", 401, "Your session has ended. Please sign in again.", \
      "The session reached its idle time or its absolute end, or was ended.", "See SSOSessionIdle and SSOSessionMax.") \
    X(SESSION_REVOKED, "session_revoked", 401, "Your session has ended. Please sign in again.", \
      "The provider answered the refresh with invalid_grant, or sent tokens of somebody else.", \
      "The session was ended at the provider, or its refresh token ran out; compare the provider's idle time.") \
    X(FORBIDDEN, "forbidden", 403, "You are signed in, but you may not use this page.", \
      "No Require rule of this place is fulfilled.", "Compare the claims that the user has at the provider with the Require lines.") \
    X(STRANGER_REFUSED, "stranger_refused", 403, "Only users who are signed in may use this page.", \
      "There is no session, and SSOUnauth 403 refuses strangers here.", "The user signs in elsewhere on this site first, or SSOUnauth is changed.") \
    X(SCOPE_MISSING, "scope_missing", 403, "Your account lacks a permission that is needed here.", \
      "The provider did not grant a scope that SSORequireScope asks for.", "Grant the scope at the provider.") \
    X(TOKEN_REFUSED, "token_refused", 400, SENTENCE_AGAIN, \
      "The token endpoint refused the request with an error that the log names.", \
      "See the provider's log under the client's name.") \
    X(GRANT_REFUSED, "grant_refused", 400, SENTENCE_AGAIN, \
      "The token endpoint answered `invalid_grant`: the code or refresh token is used, expired, revoked, or bound to another redirect URI.", \
      "Nothing when it is rare; otherwise compare the redirect URI, and the idle times of provider and module.") \
    X(CLIENT_REFUSED, "client_refused", 503, SENTENCE_PROVIDER, \
      "The token endpoint does not accept the client: `invalid_client` or `unauthorized_client`.", \
      "Compare SSOClientID, SSOClientSecret and SSOClientAuth with the provider's client settings.") \
    X(TOKEN_ANSWER, "token_answer", 400, SENTENCE_UNTRUSTED, \
      "The token endpoint's answer is not what RFC 6749 section 5.1 and OpenID Connect demand.", \
      "The log names the member; check SSOIssuer or SSOEndpoint token=.") \
    X(IDTOKEN_MALFORMED, "idtoken_malformed", 400, SENTENCE_UNTRUSTED, \
      "The ID token is not a signed JWT in compact form, or its header is not acceptable.", "See the log; encrypted ID tokens are not configured.") \
    X(IDTOKEN_ALGORITHM, "idtoken_algorithm", 400, SENTENCE_UNTRUSTED, \
      "The ID token is signed with an algorithm that is not accepted.", "See SSOIdTokenAlg and the client's settings at the provider.") \
    X(IDTOKEN_KEY, "idtoken_key", 400, SENTENCE_UNTRUSTED, \
      "No key of the provider fits the ID token's header.", "The provider may have changed keys a moment ago: try again after a minute.") \
    X(IDTOKEN_SIGNATURE, "idtoken_signature", 400, SENTENCE_UNTRUSTED, \
      "The ID token's signature is wrong.", "Check that SSOIssuer is reached without somebody in between.") \
    X(IDTOKEN_ISSUER, "idtoken_issuer", 400, SENTENCE_UNTRUSTED, \
      "`iss` of the ID token is not the configured issuer.", "Compare character by character, also the slash at the end.") \
    X(IDTOKEN_AUDIENCE, "idtoken_audience", 400, SENTENCE_UNTRUSTED, \
      "`aud` or `azp` of the ID token names another client.", "Check SSOClientID and the provider's audience mappers.") \
    X(IDTOKEN_SUBJECT, "idtoken_subject", 400, SENTENCE_UNTRUSTED, \
      "`sub` is missing, empty, longer than 255 bytes, not printable ASCII, or not the subject expected.", "See the provider's log.") \
    X(IDTOKEN_EXPIRED, "idtoken_expired", 400, SENTENCE_UNTRUSTED, \
      "The ID token is over, not valid yet, or too old.", "Compare the clocks of this host and the provider; see SSOClockSkew and SSOIatAge.") \
    X(IDTOKEN_NONCE, "idtoken_nonce", 400, SENTENCE_UNTRUSTED, \
      "The ID token does not belong to this login.", "A replay, or a provider that drops `nonce`.") \
    X(IDTOKEN_HASH, "idtoken_hash", 400, SENTENCE_UNTRUSTED, \
      "`at_hash` does not fit the access token.", "See the provider's log.") \
    X(IDTOKEN_CLAIMS, "idtoken_claims", 400, SENTENCE_UNTRUSTED, \
      "The ID token's content is not a JSON object with claims of the right types.", "See the provider's claim mappers.") \
    X(ACCESSTOKEN_REFUSED, "accesstoken_refused", 400, SENTENCE_UNTRUSTED, \
      "SSOClaimsFrom wants claims of the access token, but it is not a JWT that is meant for this client and verifies.", \
      "Take `access` out of SSOClaimsFrom, or have the provider put this client into aud or azp.") \
    X(USERINFO_REFUSED, "userinfo_refused", 400, SENTENCE_UNTRUSTED, \
      "The userinfo answer is not a JSON object.", "See the provider's log; SSOUserinfo off does without.") \
    X(USERINFO_SUBJECT, "userinfo_subject", 400, SENTENCE_UNTRUSTED, \
      "The userinfo answer is about another subject than the ID token, or names none.", "See the provider's log.") \
    X(CLAIM_UNUSABLE, "claim_unusable", 403, "Your account has a value that cannot be passed on to the application.", \
      "A claim that goes into a header contains CR, LF or NUL, is too long, or SSOUser's claim is missing.", \
      "The log names the claim; choose an encoding for SSOHeader, or another claim for SSOUser.") \
    X(CLAIMS_OVERAGE, "claims_overage", 403, "Your account belongs to more groups than can be passed on.", \
      "The provider left out a wanted claim and sent a pointer instead (_claim_names).", "Limit the groups that the provider sends to this client.") \
    X(SESSION_TOO_LARGE, "session_too_large", 400, "Your account carries more data than a session may hold.", \
      "Tokens and claims together are larger than SSOMaxSession; the log names the biggest part.", \
      "Have the provider send less, or raise SSOMaxSession (and memcached's -I).") \
    X(STORE_DOWN, "store_down", 503, SENTENCE_STORE, \
      "The session store does not answer in time.", "Check memcached (SSOStore) or the file system; sessions are kept.") \
    X(STORE_FULL, "store_full", 503, "The service cannot accept more sign-ins at the moment. Please try again in a little while.", \
      "The session store has no room for a new session.", "Give memcached more memory (-m), or raise ?size= of lmdb.") \
    X(STORE_FOREIGN, "store_foreign", 401, "Your session has ended. Please sign in again.", \
      "The stored record does not open: bit rot, another key, or somebody wrote into the store.", \
      "Check SSOKey on all nodes, and who else may write into memcached.") \
    X(LOGOUT_INCOMPLETE, "logout_incomplete", 503, "You may not be signed out completely. Please try again in a little while.", \
      "The session store did not confirm the end of the session.", "Check the store; repeat the logout.") \
    X(PROVIDER_DOWN, "provider_down", 503, SENTENCE_PROVIDER, \
      "The provider cannot be reached, answers too late or not at all, or answers 5xx; after several such calls nobody waits for it, and one call now and then finds out whether it is back.", \
      "Check name resolution, firewall, SELinux (httpd_can_network_connect) and the provider.") \
    X(PROVIDER_TLS, "provider_tls", 503, SENTENCE_PROVIDER, \
      "The TLS connection to the provider is not trustworthy.", "Check the certificate; see SSOProviderCA.") \
    X(PROVIDER_BUSY, "provider_busy", 503, SENTENCE_PROVIDER, \
      "Too many calls to the provider are under way, or it asked to wait (429).", "Wait; see SSOOutbound and the provider's limits.") \
    X(METADATA_INVALID, "metadata_invalid", 503, SENTENCE_PROVIDER, \
      "The provider's discovery document or key set cannot be used.", "The log names the member; compare SSOIssuer.") \
    X(PROVIDER_UNSUITABLE, "provider_unsuitable", 503, SENTENCE_PROVIDER, \
      "The provider lacks something that the configuration needs, such as an endpoint or PKCE with S256.", \
      "The log names it; see SSOEndpoint.") \
    X(REFRESH_PENDING, "refresh_pending", 503, SENTENCE_PROVIDER, \
      "The access token has run out and its renewal does not succeed for the time being.", "See the log lines before; the session is kept.") \
    X(PAGE_TEMPLATE, "page_template", 500, "The server is not configured properly.", \
      "The page template of SSOPage cannot be used.", "httpd -t names the placeholder.") \
    X(INTERNAL, "internal", 500, "Something went wrong on the server. Please tell your administrator.", \
      "A part failed that should not: random numbers, cryptography or memory.", "Look into the log under the incident id.")
/* clang-format on */

#endif
