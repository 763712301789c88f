/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "status.h"

/* X509_V_ERR_* of OpenSSL's x509_vfy.h, as libcurl hands them on; their values are fixed. */
enum {
    NOT_YET_VALID = 9,
    EXPIRED = 10,
    SELF_SIGNED = 18,
    SELF_SIGNED_IN_CHAIN = 19,
    NO_ISSUER = 20,
    NO_FIRST = 21,
};

static bool says(const struct failure *f, const char *what)
{
    return strstr(f->text, what) != NULL;
}

static const char *why(const struct failure *f, char *out, size_t size)
{
    const char *text = *f->text ? f->text : curl_easy_strerror(f->result);
    status_copy_text(out, size, text, strlen(text));
    return out;
}

static void not_trusted(const struct failure *f, struct etcd_reply *reply)
{
    if (f->cacert)
        etcd_reply_fail(reply, ETCD_TLS, "the certificate of %s is not signed by --cacert %s",
                        f->url, f->cacert);
    else
        etcd_reply_fail(reply, ETCD_TLS,
                        "the certificate of %s is not signed by an authority this host knows: "
                        "give etcd's with --cacert",
                        f->url);
}

static void peer_refused(const struct failure *f, struct etcd_reply *reply)
{
    char text[160];
    long verify = 0;
    curl_easy_getinfo(f->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    if (verify == EXPIRED || says(f, "has expired"))
        etcd_reply_fail(reply, ETCD_TLS, "the certificate of %s has expired", f->url);
    else if (verify == NOT_YET_VALID || says(f, "not yet valid"))
        etcd_reply_fail(reply, ETCD_TLS,
                        "the certificate of %s is not valid yet (is this host's clock right?)",
                        f->url);
    else if (says(f, "subject name"))
        etcd_reply_fail(reply, ETCD_TLS,
                        "the certificate of %s is for another host name or address", f->url);
    else if (verify == SELF_SIGNED || verify == SELF_SIGNED_IN_CHAIN || verify == NO_ISSUER ||
             verify == NO_FIRST)
        not_trusted(f, reply);
    else
        etcd_reply_fail(reply, ETCD_TLS, "the certificate of %s is not accepted: %s", f->url,
                        why(f, text, sizeof(text)));
}

/* The server's word on our certificate; with TLS 1.3 it comes after the handshake. */
static bool client_refused(const struct failure *f, struct etcd_reply *reply)
{
    if (!says(f, "alert"))
        return false;
    if (says(f, "certificate required") || (says(f, "bad certificate") && !f->cert))
        etcd_reply_fail(reply, ETCD_TLS, "%s wants a client certificate: give --cert and --key",
                        f->url);
    else if (says(f, "unknown ca") || says(f, "bad certificate") ||
             says(f, "certificate expired") || says(f, "unsupported certificate") ||
             says(f, "certificate unknown"))
        etcd_reply_fail(reply, ETCD_TLS, "%s does not accept the client certificate --cert %s (%s)",
                        f->url, f->cert ? f->cert : "",
                        says(f, "unknown ca")            ? "its authority is unknown there"
                        : says(f, "certificate expired") ? "it has expired"
                                                         : "bad certificate");
    else
        return false;
    return true;
}

/* A file that cannot even be opened; says so. */
static bool unreadable(const char *option, const char *path, struct etcd_reply *reply)
{
    if (!path || access(path, R_OK) == 0)
        return false;
    etcd_reply_fail(reply, ETCD_TLS, "cannot read %s %s: %s", option, path, strerror(errno));
    return true;
}

static void own_certificate(const struct failure *f, struct etcd_reply *reply)
{
    const char *cert = f->cert ? f->cert : "", *key = f->key ? f->key : cert;
    if (unreadable("--cert", f->cert, reply) || unreadable("--key", f->key, reply))
        return;
    if (says(f, "private key") || says(f, "key values mismatch"))
        etcd_reply_fail(reply, ETCD_TLS,
                        "--key %s cannot be used with --cert %s: not PEM, encrypted, or of "
                        "another certificate",
                        key, cert);
    else
        etcd_reply_fail(reply, ETCD_TLS, "--cert %s cannot be used: not a PEM certificate", cert);
}

static void unreachable(const struct failure *f, struct etcd_reply *reply)
{
    char text[160];
    long error = 0;
    curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &error);
    if (f->result == CURLE_OPERATION_TIMEDOUT)
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: no connection within 300 ms", f->url);
    else if (f->result == CURLE_COULDNT_RESOLVE_HOST)
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: the host name is not known", f->url);
    else if (f->result == CURLE_COULDNT_CONNECT && error > 0)
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: %s", f->url,
                        error == ECONNREFUSED ? "connection refused" : strerror((int)error));
    else if (f->result == CURLE_GOT_NOTHING || f->result == CURLE_PARTIAL_FILE)
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: the connection was closed", f->url);
    else
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: %s", f->url, why(f, text, sizeof(text)));
}

/* With TLS 1.3 a server may refuse a client's certificate when the client takes the connection
 * for made; whether its alert is read before the reset is a race. */
static bool cut_after_handshake(const struct failure *f, struct etcd_reply *reply)
{
    long connects = 0;
    curl_off_t appconnect_us = 0;
    curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(f->easy, CURLINFO_APPCONNECT_TIME_T, &appconnect_us);
    if (strncmp(f->url, "https:", 6) != 0 || connects == 0 || appconnect_us == 0)
        return false;
    if (f->cert)
        etcd_reply_fail(reply, ETCD_TLS,
                        "%s cut the connection right after the TLS handshake: does it accept the "
                        "client certificate --cert %s?",
                        f->url, f->cert);
    else
        etcd_reply_fail(reply, ETCD_TLS,
                        "%s cut the connection right after the TLS handshake: does it want a "
                        "client certificate (--cert and --key)?",
                        f->url);
    return true;
}

static bool handshake(const struct failure *f, struct etcd_reply *reply)
{
    char text[160];
    if (client_refused(f, reply))
        return false;
    if (says(f, "wrong version number") || says(f, "unknown protocol") ||
        says(f, "packet length too long"))
        etcd_reply_fail(reply, ETCD_TLS, "%s does not speak TLS: write http://", f->url);
    else if (says(f, "no application protocol"))
        etcd_reply_fail(reply, ETCD_NOT_GATEWAY, "%s speaks only gRPC", f->url);
    else if (says(f, "SSL_ERROR_SYSCALL") || says(f, "unexpected eof"))
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: the connection was closed", f->url);
    else
        etcd_reply_fail(reply, ETCD_TLS, "%s: no TLS connection: %s", f->url,
                        why(f, text, sizeof(text)));
    return reply->status != ETCD_TLS;
}

bool failure_describe(const struct failure *f, struct etcd_reply *reply)
{
    switch (f->result) {
    case CURLE_PEER_FAILED_VERIFICATION:
        peer_refused(f, reply);
        return false;
    case CURLE_SSL_CACERT_BADFILE:
        if (!unreadable("--cacert", f->cacert, reply))
            etcd_reply_fail(reply, ETCD_TLS,
                            "--cacert %s cannot be used: no PEM certificates in it",
                            f->cacert ? f->cacert : "");
        return false;
    case CURLE_SSL_CERTPROBLEM:
        own_certificate(f, reply);
        return false;
    case CURLE_SSL_CONNECT_ERROR:
        return handshake(f, reply);
    case CURLE_UNSUPPORTED_PROTOCOL: /* "Received HTTP/0.9 when not allowed" */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
        etcd_reply_fail(reply, ETCD_NOT_GATEWAY,
                        "%s does not speak HTTP/1.1; is it a port for gRPC only?", f->url);
        return true;
    case CURLE_WRITE_ERROR:
        etcd_reply_fail(reply, ETCD_BAD_REPLY, "%s: the answer is larger than 4 MiB", f->url);
        return false;
    case CURLE_OUT_OF_MEMORY:
        etcd_reply_fail(reply, ETCD_NO_MEMORY, "out of memory");
        return false;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        if (client_refused(f, reply))
            return false;
        if (!cut_after_handshake(f, reply))
            unreachable(f, reply);
        return true;
    default:
        unreachable(f, reply);
        return false;
    }
}
