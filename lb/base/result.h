#pragma once
// An expected failure is part of the return type. (g++ 12 has no std::expected.)
#include <string>
#include <utility>
#include <variant>

#include "lb/base/check.h"

namespace rr {

/// What went wrong, in one line for a person: names the field, the value and what would be right.
struct Error {
  std::string message;
  bool operator==(const Error&) const = default;
};

/// The value of an operation that has none.
struct Ok {
  bool operator==(const Ok&) const = default;
};

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: conversion is the point
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; asking a failed result is a bug and crashes.
  T& value() & {
    RR_CHECK(ok(), "value() of a failed Result");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    RR_CHECK(ok(), "value() of a failed Result");
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    RR_CHECK(ok(), "value() of a failed Result");
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const {
    RR_CHECK(!ok(), "error() of a good Result");
    return *std::get_if<1>(&state_);
  }

  bool operator==(const Result&) const = default;

 private:
  std::variant<T, E> state_;
};

/// The result of an operation that gives nothing back but may fail.
using Status = Result<Ok>;

}  // namespace rr
