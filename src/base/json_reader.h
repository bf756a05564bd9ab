// RapidJSON's reader with SIMD, which looks for the end of a string 16 bytes at a time: texts are most of
// what comes in. Every file that parses includes this and not rapidjson/reader.h, so that all see the same
// inline functions. The reader's aligned loads may touch bytes behind a text, never another page; sanitizers
// cannot know that.
#pragma once

#if defined(__has_feature)  // clang's way to say it
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MLALERT_SANITIZED
#endif
#endif
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(MLALERT_SANITIZED)
#define RAPIDJSON_SSE2
#endif

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
