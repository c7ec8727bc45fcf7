#ifndef SYNC2NAS_CTLS_H
#define SYNC2NAS_CTLS_H

#include <stddef.h>

/* The client's end of one TLS connection over a socket that does not block, by OpenSSL.

   OpenSSL's own interface is made of macros, and keeps errors in a queue per thread; here the
   reason is kept with the connection. It is used by one thread at a time, which must have SIGPIPE
   blocked: OpenSSL writes with write(2). */
typedef struct sync2nas_tls sync2nas_tls;

/* What the calls below return when it is no number of bytes. */
enum {
    SYNC2NAS_TLS_CLOSED = 0,
    /* The peer broke the protocol, or its certificate is not accepted. */
    SYNC2NAS_TLS_FAILED = -1,
    /* Again, when the socket can be read. */
    SYNC2NAS_TLS_WANTS_READ = -2,
    /* Again, when the socket can be written. */
    SYNC2NAS_TLS_WANTS_WRITE = -3,
    /* The socket failed. */
    SYNC2NAS_TLS_BROKEN = -4,
    /* What sync2nas_tls_new was given cannot be used. */
    SYNC2NAS_TLS_UNUSABLE = -5,
};

/* Prepares a connection over `descriptor`, which stays the caller's. The peer must prove to be
   `host`, a name or an IP address, and must choose `protocol` by ALPN (RFC 7301). Trusted are the
   authorities in the file `authorities`, or those of the system when it is NULL.
   NULL only when memory is out; other failures show at the handshake. */
sync2nas_tls *sync2nas_tls_new(int descriptor, const char *host, const char *authorities,
                               const char *protocol);

/* 1 when done. */
int sync2nas_tls_handshake(sync2nas_tls *tls);

long sync2nas_tls_read(sync2nas_tls *tls, void *bytes, size_t count);

/* A call that wanted something is repeated with at least the same bytes, which may have moved. */
long sync2nas_tls_write(sync2nas_tls *tls, const void *bytes, size_t count);

/* Bytes that can be read although the socket may have none. */
size_t sync2nas_tls_pending(const sync2nas_tls *tls);

/* Why the last call failed, in English; empty when none did. */
const char *sync2nas_tls_reason(const sync2nas_tls *tls);

/* Why the peer's certificate is not accepted, in English; NULL when that is not the matter. */
const char *sync2nas_tls_certificate_fault(const sync2nas_tls *tls);

/* Says goodbye, if the socket takes it at once, and frees everything. */
void sync2nas_tls_free(sync2nas_tls *tls);

#endif
