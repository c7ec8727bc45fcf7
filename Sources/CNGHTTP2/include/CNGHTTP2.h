#ifndef SYNC2NAS_CNGHTTP2_H
#define SYNC2NAS_CNGHTTP2_H

#include <nghttp2/nghttp2.h>

#endif
