#ifndef CPQ_H
#define CPQ_H

#include <postgresql/libpq-fe.h>

#endif
