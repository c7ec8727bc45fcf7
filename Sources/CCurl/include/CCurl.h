#ifndef SYNC2NAS_CCURL_H
#define SYNC2NAS_CCURL_H

#include <curl/curl.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic, so Swift cannot call them. */

static inline CURLcode sync2nas_curl_set_long(CURL *handle, CURLoption option, long value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode sync2nas_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode sync2nas_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode sync2nas_curl_set_headers(CURL *handle, struct curl_slist *headers) {
    return (curl_easy_setopt)(handle, CURLOPT_HTTPHEADER, headers);
}

/* A function that takes bytes, for CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION. */
typedef size_t (*sync2nas_curl_sink)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode sync2nas_curl_set_sink(CURL *handle, CURLoption option,
                                              sync2nas_curl_sink sink) {
    return (curl_easy_setopt)(handle, option, sink);
}

typedef int (*sync2nas_curl_progress)(void *context, curl_off_t total, curl_off_t now,
                                      curl_off_t upload_total, curl_off_t upload_now);

static inline CURLcode sync2nas_curl_set_progress(CURL *handle, sync2nas_curl_progress function) {
    return (curl_easy_setopt)(handle, CURLOPT_XFERINFOFUNCTION, function);
}

static inline CURLcode sync2nas_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(handle, info, value);
}

#endif
