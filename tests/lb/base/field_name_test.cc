#include "lb/base/field_name.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lb/base/framing_lookalike.h"
#include "lb/base/request_view.h"

namespace rr {
namespace {

const std::vector<std::pair<std::string, FieldName>>& known() {
  static const std::vector<std::pair<std::string, FieldName>> kKnown{
      {"te", FieldName::kTe},
      {"host", FieldName::kHost},
      {"expect", FieldName::kExpect},
      {"trailer", FieldName::kTrailer},
      {"upgrade", FieldName::kUpgrade},
      {"connection", FieldName::kConnection},
      {"keep-alive", FieldName::kKeepAlive},
      {"content-length", FieldName::kContentLength},
      {"x-amzn-trace-id", FieldName::kXAmznTraceId},
      {"x-forwarded-for", FieldName::kXForwardedFor},
      {"proxy-connection", FieldName::kProxyConnection},
      {"x-forwarded-port", FieldName::kXForwardedPort},
      {"transfer-encoding", FieldName::kTransferEncoding},
      {"x-forwarded-proto", FieldName::kXForwardedProto},
  };
  return kKnown;
}

/// Field names are compared as words, so a slow comparison has to say the same.
FieldName by_comparing(std::string_view name) {
  for (const auto& [text, field] : known()) {
    if (equals_ignoring_case(text, name)) return field;
  }
  return is_framing_lookalike(name) ? FieldName::kFramingLookalike : FieldName::kOther;
}

TEST(FieldName, KnowsItsNamesInAnyCase) {
  for (const auto& [text, field] : known()) {
    EXPECT_EQ(field_name(text), field) << text;
    std::string upper = text;
    for (std::size_t i = 0; i < upper.size(); ++i) {
      if (upper[i] == '-') continue;
      upper[i] = static_cast<char>(upper[i] - 32);
      EXPECT_EQ(field_name(upper), field) << upper;
    }
  }
}

TEST(FieldName, IsNoneOfThemWhenAnyByteDiffers) {
  for (const auto& [text, field] : known()) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string other = text;
      for (int byte = 0; byte < 256; ++byte) {
        other[i] = static_cast<char>(byte);
        EXPECT_EQ(field_name(other), by_comparing(other)) << text << " with " << byte << " at " << i;
      }
    }
    EXPECT_EQ(field_name(text + "x"), by_comparing(text + "x"));
    EXPECT_EQ(field_name(std::string_view(text).substr(1)), by_comparing(std::string_view(text).substr(1)));
  }
  EXPECT_EQ(field_name(""), FieldName::kOther);
}

TEST(FieldName, SeesWhatLooksLikeFraming) {
  for (const std::string_view name :
       {"Transfer_Encoding", "transferencoding", "Content-Length ", "content_length", "X-Transfer-Encoding"}) {
    EXPECT_EQ(field_name(name) == FieldName::kFramingLookalike, is_framing_lookalike(name)) << name;
  }
  EXPECT_EQ(field_name("Transfer_Encoding"), FieldName::kFramingLookalike);
  EXPECT_EQ(field_name("Content-Length "), FieldName::kFramingLookalike);
}

TEST(FieldNames, AreASet) {
  FieldNames names;
  EXPECT_FALSE(names.has(FieldName::kHost));
  names.add(FieldName::kHost);
  EXPECT_TRUE(names.has(FieldName::kHost));
  EXPECT_FALSE(names.has(FieldName::kTe));
  EXPECT_TRUE(names.has_any_of({FieldName::kTe, FieldName::kHost}));
  EXPECT_FALSE(names.has_any_of({FieldName::kTe, FieldName::kExpect}));
  EXPECT_TRUE(FieldNames::all().has(FieldName::kFramingLookalike));
}

}  // namespace
}  // namespace rr
