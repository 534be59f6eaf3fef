#pragma once
// How the members of a type are named in text: one function `fields` a type, for writing (const) and for reading. Its
// structured binding names all members in their order, so a new member does not compile until it has its line there.
#include <concepts>
#include <type_traits>

namespace rr::sim {

template <class A, class B>
concept Of = std::same_as<std::remove_const_t<A>, B>;

/// One member by its own name, in a function `fields`.
#define RR_FIELD(member) visit(#member, member)

/// The names of a variant's alternatives, in their order.
template <class Variant>
struct AlternativeNames;

}  // namespace rr::sim
