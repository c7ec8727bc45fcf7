#include "CTLS.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sync2nas_tls {
    SSL_CTX *context;
    SSL *ssl;
    int is_ready;
    char protocol[32];
    char reason[256];
};

/* Takes the oldest entry of the error queue, which names the cause; later ones only follow. */
static void note_failure(sync2nas_tls *tls, const char *what, int error_number) {
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (!reason && error_number) reason = strerror(error_number);
    snprintf(tls->reason, sizeof tls->reason, "%s%s%s", what, reason ? ": " : "",
             reason ? reason : "");
    ERR_clear_error();
}

static int trust(sync2nas_tls *tls, const char *authorities) {
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    int done = authorities ? SSL_CTX_load_verify_locations(tls->context, authorities, NULL)
                           : SSL_CTX_set_default_verify_paths(tls->context);
    if (done != 1) note_failure(tls, "cannot read the file of trusted authorities", errno);
    return done == 1;
}

/* An IP address is compared with the certificate's addresses and is not sent as a name
   (RFC 6066, section 3). */
static int expect_host(sync2nas_tls *tls, const char *host) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(tls->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1) return 1;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int done = SSL_set1_host(tls->ssl, host) == 1 && SSL_set_tlsext_host_name(tls->ssl, host) == 1;
    if (!done) note_failure(tls, "the host's name cannot be used", 0);
    return done;
}

static int offer_protocol(sync2nas_tls *tls) {
    unsigned char offer[sizeof tls->protocol + 1];
    size_t length = strlen(tls->protocol);
    offer[0] = (unsigned char)length;
    memcpy(offer + 1, tls->protocol, length);
    int failed = SSL_set_alpn_protos(tls->ssl, offer, (unsigned)length + 1);
    if (failed) note_failure(tls, "cannot offer the protocol", 0);
    return !failed;
}

static int prepare(sync2nas_tls *tls, int descriptor, const char *host, const char *authorities) {
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    /* HTTP/2 frames say where they end, so an end without goodbye hides nothing. */
    SSL_CTX_set_options(tls->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!trust(tls, authorities)) return 0;
    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, descriptor) != 1) {
        note_failure(tls, "cannot set TLS up", 0);
        return 0;
    }
    return expect_host(tls, host) && offer_protocol(tls);
}

sync2nas_tls *sync2nas_tls_new(int descriptor, const char *host, const char *authorities,
                               const char *protocol) {
    sync2nas_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    snprintf(tls->protocol, sizeof tls->protocol, "%s", protocol);
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context) {
        free(tls);
        return NULL;
    }
    tls->is_ready = prepare(tls, descriptor, host, authorities);
    return tls;
}

static long outcome(sync2nas_tls *tls, int result, const char *what) {
    int error_number = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return SYNC2NAS_TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return SYNC2NAS_TLS_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return SYNC2NAS_TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        note_failure(tls, what, error_number);
        return SYNC2NAS_TLS_BROKEN;
    default:
        note_failure(tls, what, error_number);
        return SYNC2NAS_TLS_FAILED;
    }
}

int sync2nas_tls_handshake(sync2nas_tls *tls) {
    if (!tls->is_ready) return SYNC2NAS_TLS_UNUSABLE;
    ERR_clear_error();
    errno = 0;
    int result = SSL_connect(tls->ssl);
    if (result != 1) return (int)outcome(tls, result, "the TLS handshake failed");
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(tls->ssl, &chosen, &length);
    if (length == strlen(tls->protocol) && memcmp(chosen, tls->protocol, length) == 0) return 1;
    snprintf(tls->reason, sizeof tls->reason, "it does not offer '%s' over TLS", tls->protocol);
    return SYNC2NAS_TLS_FAILED;
}

long sync2nas_tls_read(sync2nas_tls *tls, void *bytes, size_t count) {
    size_t done = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(tls->ssl, bytes, count, &done);
    return result == 1 ? (long)done : outcome(tls, result, "reading failed");
}

long sync2nas_tls_write(sync2nas_tls *tls, const void *bytes, size_t count) {
    size_t done = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(tls->ssl, bytes, count, &done);
    return result == 1 ? (long)done : outcome(tls, result, "writing failed");
}

size_t sync2nas_tls_pending(const sync2nas_tls *tls) { return (size_t)SSL_pending(tls->ssl); }

const char *sync2nas_tls_reason(const sync2nas_tls *tls) { return tls->reason; }

const char *sync2nas_tls_certificate_fault(const sync2nas_tls *tls) {
    if (!tls->ssl) return NULL;
    long result = SSL_get_verify_result(tls->ssl);
    return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

void sync2nas_tls_free(sync2nas_tls *tls) {
    if (!tls) return;
    if (tls->ssl && SSL_is_init_finished(tls->ssl)) SSL_shutdown(tls->ssl);
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    ERR_clear_error();
    free(tls);
}
