// RapidJSON's reader with SIMD, which looks for the end of a string 16 bytes at a time: texts are most of
// what comes in. Every file that parses includes this and not rapidjson/reader.h, so that all see the same
// inline functions. The reader's aligned loads may touch bytes behind a text, never another page; sanitizers
// cannot know that.
#pragma once

#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RAPIDJSON_SSE2
#endif

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
