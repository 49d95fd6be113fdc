// zlib (Debian: zlib1g-dev), for HdrHistogram's compressed encoding.
#pragma once
#include <zlib.h>
