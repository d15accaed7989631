//===- Graph.h - What a mask lets tokens hear of each other ---------------===//
//
// A self-attention mask is a graph: its nodes are the tokens, and an edge goes from key j to query i where i sees j -
// the way that information takes in one layer. A residual connection keeps what a token had, so after t layers token i
// has heard of token j if a path of at most t edges leads from j to i; everything below counts paths so, whether or
// not the mask has its diagonal.
//
//   strongly connected component   a largest set of tokens that all hear of each other, in time
//   closed component               one that no edge enters from another component: nothing from outside ever reaches it
//   heard after t layers           the fraction of tokens with a path of at most t edges to token i
//   radius                         the least t such that one token reaches every token within t steps; the tokens
//                                  that do are the centre
//
// Every token is reached from some closed component, so there is exactly one closed component if and only if some token
// reaches all tokens (the graph is then called quasi-strongly connected), and the tokens that do are its members, the
// roots. Wu, Ajorlou, Wang, Jegelka and Jadbabaie (On the Role of Attention Masks and LayerNorm in Transformers,
// NeurIPS 2024) prove that then attention layers of this mask alone, without MLPs and residuals, pull all tokens to one
// point, exponentially in depth and the slower the larger the radius. Their tokens all see themselves. One root that
// does is enough: paths of every sufficient length then lead from it to everywhere. If none does, tokens may change
// places for ever, as two that see each other only. With several closed components there are tokens that no layer
// brings together.
//
// A token that sees nothing and that nothing sees is padding, not a part of the graph: such tokens are left out and
// counted.
//
// How. A row of the adjacency matrix is a bit set. The components are Tarjan's (Depth-First Search and Linear Graph
// Algorithms, 1972). R_t, "heard after t layers" as a matrix of bits with its diagonal set, is squared until it stops
// growing: R_2t = R_t R_t. The radius is the least t at which R_t has a column of ones; it lies between two of the
// powers at hand and is found by multiplying with them from the larger to the smaller. A product of two matrices looks
// up the union of any eight rows in a table (Arlazarov, Dinic, Kronrod and Faradzev, On Economical Construction of the
// Transitive Closure, 1970): n^3 / 512 steps on words.
//
// With more tokens than the bits can hold, a node is a block of tokens and an edge is where any pair of the two blocks
// is visible. That only adds paths: what was heard is then an upper bound, the radius and the numbers of components
// lower bounds, and "no token reaches all" stays certain while "some token does" does not.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TOOLS_RUN_GRAPH_H
#define ATTN_TOOLS_RUN_GRAPH_H

#include "Ranges.h"

#include <optional>

namespace attn::run {

struct Heard {
  int64_t layers = 0;
  double mean = 0, most = 0; // of all tokens; of the token that has heard of most
};

struct GraphFacts {
  int64_t tokens = 0, tokensPerNode = 1;
  int64_t padding = 0;    // tokens without any edge, left out of everything below
  int64_t nodes = 0;      // with a token that is not padding
  int64_t components = 0; // strongly connected ones
  int64_t closed = 0;
  Ranges roots;                // tokens that reach all tokens: none, or the one closed component
  bool rootSeesItself = false; // some root does
  /// After 1, 2, 4, ... layers; if the time sufficed, the last is what any number of layers gives.
  std::vector<Heard> heard;
  std::optional<int64_t> radius; // absent without roots, or if the time was up before
  Ranges centre;                 // tokens that reach all tokens within `radius` steps
  bool finished = false;         // the time sufficed

  bool exact() const { return tokensPerNode == 1; }
  bool connected() const { return closed == 1; }
};

class MaskGraph {
public:
  /// Matrices of more bits a row are not worth their time; a limit on nodes, not on tokens.
  static constexpr int64_t mostNodes = 4096;
  /// 1 up to mostNodes tokens, else the least power of two from 64 up that leaves at most mostNodes nodes.
  static int64_t blockFor(int64_t tokens);

  MaskGraph(int64_t tokens, int64_t tokensPerNode);
  /// What query `query` sees. Every row once, in any order.
  void addRow(int64_t query, const Ranges &keys);
  /// Stops squaring after about so many seconds; the components are found in any case.
  GraphFacts analyse(double seconds) const;

private:
  int64_t tokens, tokensPerNode, nodes, words; // words of a row
  std::vector<uint64_t> bits;                  // row i: what node i sees
  std::vector<bool> sees;                      // by token
  std::vector<int64_t> seenChange;             // by token: ranges that begin less ranges that end
};

} // namespace attn::run

#endif
