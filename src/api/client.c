/* SPDX-License-Identifier: MIT */
#include "api/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <string.h>

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    struct buf *out = arg;
    return buf_add(out, data, size * n) == 0 ? size * n : 0;
}

static int code_to_errno(CURL *easy, CURLcode code, const struct buf *out)
{
    long os_errno = 0;
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
        return os_errno > 0 ? -(int)os_errno : -ECONNREFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_WRITE_ERROR:
        return out->error ? out->error : -EBADMSG;
    default:
        return -EBADMSG;
    }
}

static CURLcode set_options(CURL *easy, const char *socket, const char *url, uint64_t timeout_us,
                            const char *body, struct buf *out)
{
    CURLcode c = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket);
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_URL, url);
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    if (c == CURLE_OK) /* http_proxy in the environment is about other hosts */
        c = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (c == CURLE_OK && body)
        c = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout_us / 1000 + 1));
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    if (c == CURLE_OK)
        c = curl_easy_setopt(easy, CURLOPT_WRITEDATA, out);
    return c;
}

static int perform(CURL *easy, const char *socket, const char *path, const char *body,
                   uint64_t timeout_us, struct buf *out)
{
    char url[256];
    long status = 0;
    if (snprintf(url, sizeof(url), "http://localhost%s", path) >= (int)sizeof(url))
        return -ENAMETOOLONG;
    CURLcode c = set_options(easy, socket, url, timeout_us, body, out);
    if (c == CURLE_OK)
        c = curl_easy_perform(easy);
    if (c != CURLE_OK)
        return code_to_errno(easy, c, out);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 100 && status <= 999 ? (int)status : -EBADMSG;
}

static int ask(const char *socket, const char *path, const char *body, uint64_t timeout_us,
               struct buf *out)
{
    if (strlen(socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return -ENAMETOOLONG;
    /* Counted by curl, and no TLS is needed here. */
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return -ENOMEM;
    CURL *easy = curl_easy_init();
    int r = easy ? perform(easy, socket, path, body, timeout_us, out) : -ENOMEM;
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return r;
}

int api_client_get(const char *socket, const char *path, uint64_t timeout_us, struct buf *out)
{
    return ask(socket, path, NULL, timeout_us, out);
}

int api_client_post(const char *socket, const char *path, const char *body, uint64_t timeout_us,
                    struct buf *out)
{
    return ask(socket, path, body, timeout_us, out);
}

const char *api_client_library(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
