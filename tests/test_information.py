"""dlref.information against SciPy, scikit-learn, torch and numbers worked by hand."""

import itertools
import math
import os
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
import sklearn.metrics
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref.information import (
    cross_entropy,
    entropy,
    huffman_code_lengths,
    js_divergence,
    kl_divergence,
    mutual_information,
)

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=25 if few_examples else 150, deadline=None)
TWO = {"cross_entropy": cross_entropy, "kl": kl_divergence, "js": js_divergence}
H4 = [1 / 2, 1 / 4, 1 / 8, 1 / 8]

few = st.integers(1, 8)
weight = st.floats(1e-6, 1) | st.just(0.0) | st.floats(0, 1e-300)

# SciPy's jensenshannon is inf where half of the smallest subnormal number is 0
normal = st.floats(1e-6, 1) | st.just(0.0) | st.floats(1e-300, 1e-290)


@st.composite
def distributions(draw, count=1, elements=weight, sizes=few):
    """Draw `count` float64 distributions of one length, with zeros here and there."""
    n = draw(sizes)
    result = []
    for _ in range(count):
        p = np.array(draw(st.lists(elements, min_size=n, max_size=n)))
        assume(p.sum() > 1e-6)
        result.append(torch.from_numpy(p / p.sum()))
    return result if count > 1 else result[0]


def close(got: Tensor, expected: object, atol: float = 1e-12) -> None:
    expected = torch.as_tensor(expected, dtype=got.dtype, device=got.device)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=atol)


class TestAgainstSciPy:
    @many
    @given(distributions(), st.sampled_from([None, 2, 10, 3.5, 0.5]))
    def test_entropy(self, device, p, base):
        close(entropy(p.to(device), base), scipy.stats.entropy(p.numpy(), base=base))
        close(entropy(p), scipy.special.entr(p.numpy()).sum())

    @many
    @given(distributions(2), st.sampled_from([None, 2, 10, 3.5]))
    def test_kl_divergence(self, device, pq, base):
        p, q = pq
        unit = math.log(base or math.e)
        expected = scipy.special.rel_entr(p.numpy(), q.numpy()).sum()
        close(kl_divergence(p.to(device), q.to(device), base), expected / unit)

    @many
    @given(distributions(2, normal), st.sampled_from([None, 2, 10]))
    def test_js_divergence(self, device, pq, base):
        p, q = pq
        with np.errstate(all="ignore"):  # SciPy's, where the root of -1e-17 is taken
            root = scipy.spatial.distance.jensenshannon(p.numpy(), q.numpy(), base)
        got = js_divergence(p.to(device), q.to(device), base)
        close(got, 0 if np.isnan(root) else root**2)

    @many
    @given(distributions(2), st.sampled_from([None, 2]))
    def test_cross_entropy(self, device, pq, base):
        p, q = pq
        unit = math.log(base or math.e)
        expected = -scipy.special.xlogy(p.numpy(), q.numpy()).sum() / unit
        close(cross_entropy(p.to(device), q.to(device), base), expected)

    @many
    @given(st.integers(1, 4), st.integers(1, 4), st.data())
    def test_mutual_information_equals_scikit_learn(self, rows, columns, data):
        counts = st.lists(st.integers(0, 9), min_size=columns, max_size=columns)
        table = np.array(data.draw(st.lists(counts, min_size=rows, max_size=rows)))
        assume(table.sum() > 0)
        joint = table / table.sum()
        score = sklearn.metrics.mutual_info_score(None, None, contingency=table)
        close(mutual_information(joint), max(score, 0))
        product = np.outer(joint.sum(1), joint.sum(0)).ravel()
        close(mutual_information(joint), kl_divergence(joint.ravel(), product))
        by_entropies = (
            entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint.ravel())
        )
        close(mutual_information(joint), by_entropies)


class TestAgainstTorch:
    @many
    @given(distributions(2, st.floats(1e-3, 1)))
    def test_kl_div_has_the_arguments_reversed(self, pq):
        """C047."""
        p, q = pq
        close(kl_divergence(p, q), F.kl_div(q.log(), p, reduction="sum"))
        P, Q = (torch.distributions.Categorical(probs=x) for x in pq)
        close(kl_divergence(p, q), torch.distributions.kl_divergence(P, Q), atol=1e-7)
        close(entropy(p), P.entropy(), atol=1e-7)

    def test_cross_entropy_is_the_loss_of_soft_targets(self):
        p, z = torch.rand(5, 4).softmax(-1), torch.randn(5, 4)
        expected = F.cross_entropy(z, p, reduction="none")
        torch.testing.assert_close(cross_entropy(p, z.softmax(-1)), expected)
        labels = torch.tensor([3, 0, 1, 1, 2])
        one_hot = F.one_hot(labels, 4)  # int64
        expected = F.cross_entropy(z, labels, reduction="none")
        torch.testing.assert_close(cross_entropy(one_hot, z.softmax(-1)), expected)


class TestHandWorked:
    def test_units(self):
        """C043: 1.75 bits, 1.213 nats, 0.219 bytes; C044, C045: 2.00, 0.25 bits."""
        uniform = 4 * [1 / 4]
        assert entropy(H4, 2).item() == 1.75
        assert round(entropy(H4).item(), 3) == 1.213
        assert round(entropy(H4, 256).item(), 3) == 0.219
        close(entropy(H4, 10), 1.75 * math.log10(2))
        assert cross_entropy(H4, uniform, 2).item() == 2
        assert kl_divergence(H4, uniform, 2).item() == 0.25

    def test_no_symmetry_and_no_triangle_inequality(self):
        """C046."""
        p, q, r = [0.9, 0.1], [0.5, 0.5], [0.1, 0.9]
        assert round(kl_divergence(p, q).item(), 3) == 0.368
        assert round(kl_divergence(q, p).item(), 3) == 0.511
        through = kl_divergence(p, q) + kl_divergence(q, r)
        assert round(kl_divergence(p, r).item(), 3) == 1.758
        assert round(through.item(), 3) == 0.879
        assert js_divergence(p, q).equal(js_divergence(q, p))
        for a, b, c in itertools.permutations([p, q, r]):
            to_b, to_c = js_divergence(a, b).sqrt(), js_divergence(b, c).sqrt()
            assert js_divergence(a, c).sqrt() <= to_b + to_c

    def test_extremes(self):
        assert entropy([1.0]).item() == entropy([0, 1, 0]).item() == 0
        close(entropy([1 / 7] * 7, 7), 1)
        assert js_divergence([1, 0], [0, 1], 2).item() == 1
        assert mutual_information([[0.5, 0], [0, 0.5]], 2).item() == 1
        assert mutual_information([[0.25, 0.25], [0.25, 0.25]]).item() == 0

    def test_zeros(self):
        assert kl_divergence([1, 0], [0.5, 0.5], 2).item() == 1
        assert kl_divergence([0.5, 0.5], [1, 0]).item() == math.inf
        assert cross_entropy([0.5, 0.5], [1, 0]).item() == math.inf
        assert cross_entropy([1, 0], [1, 0]).item() == 0
        assert kl_divergence([0, 1, 0], [0, 1, 0]).item() == 0
        smallest = 5e-324  # p is not 0 there, so that the code of q has no word for it
        assert kl_divergence([1, smallest], [1, 0]).item() == math.inf
        assert js_divergence([1, smallest], [1, 0]).item() == 0

    def test_zero_is_not_minus_zero(self):
        for value in (
            entropy([1.0]),
            cross_entropy([1, 0], [1, 0]),
            kl_divergence([1, 0], [1, 0]),
            js_divergence([1.0], [1.0]),
            mutual_information([[1.0]]),
        ):
            assert math.copysign(1, value.item()) == 1


class TestProperties:
    @many
    @given(distributions(2))
    def test_gibbs(self, pq):
        """C045: KL >= 0, and 0 for equal distributions; H(P, Q) = H(P) + KL."""
        p, q = pq
        assert kl_divergence(p, q) >= 0
        assert kl_divergence(p, p) == js_divergence(p, p) == 0
        close(cross_entropy(p, q), entropy(p) + kl_divergence(p, q))
        assert 0 <= js_divergence(p, q) <= math.log(2) + 1e-15

    @many
    @given(distributions(), st.randoms())
    def test_rounding_leaves_nothing_below_zero(self, p, random):
        noise = torch.tensor([1 + random.uniform(-4e-16, 4e-16) for _ in p])
        q = p * noise
        assert kl_divergence(p, q) >= 0
        assert js_divergence(p, q) >= 0
        assert entropy(p) >= 0

    def test_some_of_it_would_be_below_zero(self):
        """The test above can fail: the plain sum is negative for such neighbours."""
        torch.manual_seed(0)
        p = torch.rand(1000, 5, dtype=torch.float64).softmax(-1)
        q = p * (1 + 2e-16 * torch.randn(1000, 5, dtype=torch.float64))
        assert ((p * (p.log() - q.log())).sum(-1) < 0).any()
        assert (kl_divergence(p, q) >= 0).all()

    @many
    @given(distributions(3, sizes=st.just(4)))
    def test_batches_along_any_axis(self, rows):
        p = torch.stack(rows)
        q = p.roll(1, 0)
        for function in TWO.values():
            each = torch.stack([function(a, b) for a, b in zip(p, q, strict=True)])
            assert function(p, q).equal(each)
            got = function(p.T[None], q.T[None], 2, dim=1)
            assert got.shape == (1, 3)
            close(got[0], function(p, q, 2))
        assert entropy(p.T, dim=0).equal(entropy(p))
        joint = (p / 3)[None, None]
        assert mutual_information(joint).shape == (1, 1)
        close(mutual_information(joint)[0, 0], mutual_information(p / 3))

    def test_an_empty_batch_gives_an_empty_result(self):
        assert entropy(torch.zeros(0, 3)).shape == (0,)
        assert mutual_information(torch.zeros(0, 2, 2)).shape == (0,)


dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


class TestTypes:
    @pytest.mark.parametrize("dtype", dtypes)
    def test_dtype_is_kept_and_half_is_computed_in_float32(self, device, dtype):
        torch.manual_seed(1)
        z = torch.rand(2, 20, 50, dtype=torch.float64).to(device)
        p, q = z.softmax(-1).to(dtype)
        for function in TWO.values():
            got = function(p, q)
            assert got.dtype == dtype
            expected = function(
                *((x.double() / x.double().sum(-1, True)) for x in (p, q))
            )
            torch.testing.assert_close(
                got.double(), expected, rtol=8 * torch.finfo(dtype).eps,
                atol=4 * torch.finfo(dtype).eps,
            )  # fmt: skip
        assert entropy(p).dtype == mutual_information(p / 20).dtype == dtype

    def test_mixed_dtypes_are_promoted(self):
        p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
        assert kl_divergence(p, q.double()).dtype == torch.float64
        assert kl_divergence(p.half(), q.half()).dtype == torch.float16
        assert kl_divergence(p.half(), q.bfloat16()).dtype == torch.float32
        assert kl_divergence(p, [0.25, 0.75]).dtype == torch.float64
        assert cross_entropy(torch.tensor([0, 1]), q.half()).dtype == torch.float32

    @pytest.mark.parametrize(
        "p",
        [(0.25, 0.75), [np.float64(0.25), 0.75], np.array([0.25, 0.75]),
         np.array([0.75, 0.25])[::-1], np.array([0.25, 0.75], dtype=">f8"),
         [torch.tensor(0.25, dtype=torch.float64), 0.75]],
        ids=["tuple", "list", "array", "reversed", "big-endian", "list of tensors"],
    )  # fmt: skip
    def test_sequences_and_arrays_become_float64(self, p):
        got = entropy(p)
        assert got.dtype == torch.float64
        close(got, entropy(torch.tensor([0.25, 0.75], dtype=torch.float64)))
        assert huffman_code_lengths(p) == [1, 1]

    def test_a_sequence_joins_a_tensor_on_its_device(self, device):
        p = torch.tensor([0.5, 0.5]).to(device)
        for value in (kl_divergence(p, [0.25, 0.75]), kl_divergence([0.25, 0.75], p)):
            assert value.device == p.device

    def test_arrays_of_ints_and_of_float32(self):
        assert entropy(np.array([0, 1])).dtype == torch.float64
        assert entropy(np.array([0.1, 0.9], dtype=np.float32)).dtype == torch.float32
        assert entropy(torch.tensor([0, 1])).dtype == torch.get_default_dtype()
        array = np.array([0.5, 0.5])
        array.flags.writeable = False
        assert entropy(array, 2).item() == 1

    def test_inputs_are_left_alone(self):
        p = torch.tensor([0.0, 1.0], requires_grad=True)
        before = p.clone()
        kl_divergence(p, p), huffman_code_lengths(p)
        assert p.equal(before)

    @pytest.mark.parametrize(
        "base", [2, 2.0, np.int64(2), np.float32(2), torch.tensor(2)]
    )
    def test_the_base_is_any_number(self, base):
        assert entropy(H4, base=base).item() == 1.75
        assert kl_divergence(H4, [1 / 4] * 4, base=base).item() == 0.25


def inner(n: int, device: str) -> Iterator[Tensor]:
    for seed in range(2):
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(2, n, dtype=torch.float64, generator=generator)
        yield z.to(device).requires_grad_()


class TestGradients:
    """The numeric check moves along the simplex: through a softmax."""

    @pytest.mark.parametrize("base", [None, 2])
    def test_gradcheck(self, device, base):
        z, w = inner(4, device)
        assert torch.autograd.gradcheck(lambda z: entropy(z.softmax(-1), base), z)
        assert torch.autograd.gradgradcheck(lambda z: entropy(z.softmax(-1), base), z)
        for function in TWO.values():

            def of_logits(z, w, function=function):
                return function(z.softmax(-1), w.softmax(-1), base)

            assert torch.autograd.gradcheck(of_logits, (z, w))
            assert torch.autograd.gradgradcheck(of_logits, (z, w))

    def test_gradcheck_of_mutual_information(self, device):
        z, _ = inner(4, device)

        def of_logits(z):
            return mutual_information(z.softmax(-1).unflatten(-1, (2, 2)))

        assert torch.autograd.gradcheck(of_logits, z)

    def test_slopes_are_the_textbooks(self, device):
        p, q = (z.softmax(-1).detach().requires_grad_() for z in inner(4, device))
        cases = {
            entropy: (-p.log() - 1, None),
            cross_entropy: (-q.log(), -p / q),
            kl_divergence: ((p / q).log() + 1, -p / q),
        }
        for function, (to_p, to_q) in cases.items():
            arguments = (p,) if to_q is None else (p, q)
            got = torch.autograd.grad(function(*arguments).sum(), arguments)
            torch.testing.assert_close(got[0], to_p)
            if to_q is not None:
                torch.testing.assert_close(got[1], to_q)
        got = torch.autograd.grad(js_divergence(p, q).sum(), (p, q))
        m = (p + q) / 2
        torch.testing.assert_close(got, ((p / m).log() / 2, (q / m).log() / 2))

    def test_slopes_at_zero_are_the_limits(self):
        p = torch.tensor([0.0, 0.4, 0.6, 0.0], dtype=torch.float64, requires_grad=True)
        q = torch.tensor([0.3, 0.7, 0.0, 0.0], dtype=torch.float64).roll(2)
        q = torch.tensor([0.3, 0.5, 0.2, 0.0], dtype=torch.float64, requires_grad=True)
        to_p, to_q = torch.autograd.grad(cross_entropy(p, q), (p, q))
        expected = torch.tensor([0.0, -0.4 / 0.5, -0.6 / 0.2, 0.0], dtype=q.dtype)
        torch.testing.assert_close(to_q, expected)  # -p / q
        torch.testing.assert_close(to_p[:3], -q[:3].detach().log())
        assert to_p[3].isfinite()
        (kl_to_q,) = torch.autograd.grad(kl_divergence(p, q), q)
        torch.testing.assert_close(kl_to_q, expected)
        (js_to_q,) = torch.autograd.grad(js_divergence(p, q), q)
        torch.testing.assert_close(js_to_q[0].item(), math.log(2) / 2)  # log(q / m) / 2
        assert js_to_q[3] == 0

    @pytest.mark.parametrize("dtype", dtypes)
    def test_slopes_at_zero_that_are_infinite_become_large(self, dtype):
        """-p log p is vertical at 0: the slope is the smallest normal number's."""
        p = torch.tensor([0.0, 1.0], dtype=dtype, requires_grad=True)
        q = torch.tensor([0.5, 0.5], dtype=dtype)
        tiny = torch.finfo(torch.promote_types(dtype, torch.float32)).tiny
        limit = torch.tensor(-math.log(tiny)).to(dtype)
        (slope,) = torch.autograd.grad(entropy(p), p)
        torch.testing.assert_close(slope[0], limit)
        (slope,) = torch.autograd.grad(kl_divergence(p, q), p)
        torch.testing.assert_close(slope[0], (math.log(2) - limit.double()).to(dtype))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_a_softmax_that_underflows_gets_finite_gradients(self, device, dtype):
        z = (
            torch.tensor([0.0, -2000.0, 1.0, -3000.0], dtype=dtype)
            .to(device)
            .requires_grad_()
        )
        w = (
            torch.tensor([0.0, -2000.0, -3000.0, 1.0], dtype=dtype)
            .to(device)
            .requires_grad_()
        )
        p, q = z.softmax(-1), w.softmax(-1)
        assert (p == 0).any()
        flat = torch.full_like(p, 0.25)
        values = [entropy(p), js_divergence(p, q), kl_divergence(p, flat),
                  cross_entropy(p, flat), cross_entropy(p, p), kl_divergence(p, p),
                  mutual_information(p.view(2, 2))]  # fmt: skip
        for value in values:
            (slope,) = torch.autograd.grad(value, z, retain_graph=True)
            assert slope.isfinite().all()
            assert slope[1] == slope[3] == 0  # what underflowed does not move anything
        (slope,) = torch.autograd.grad(entropy(p), z)
        x = torch.tensor([0.0, 1.0], dtype=dtype).to(device).requires_grad_()
        (expected,) = torch.autograd.grad(entropy(x.softmax(-1)), x)
        torch.testing.assert_close(slope[[0, 2]], expected)

    def test_raising_to_zero_leaves_the_slope(self):
        torch.manual_seed(0)
        z = torch.randn(500, 4, dtype=torch.float64)
        p = z.softmax(-1)
        q = (p * (1 + 2e-16 * torch.randn_like(p))).requires_grad_()
        (slope,) = torch.autograd.grad(kl_divergence(p, q).sum(), q)
        torch.testing.assert_close(slope, -p / q.detach())


@pytest.mark.refusal
class TestRefusals:
    def test_what_is_no_distribution(self):
        for function in (entropy, huffman_code_lengths):
            with pytest.raises(ValueError, match=r"p >= 0, got -0.1"):
                function([1.1, -0.1])
            with pytest.raises(ValueError, match="got NaN"):
                function([math.nan, 1.0])
            with pytest.raises(ValueError, match=r"sum of 0.9; normalise it: p / p.s"):
                function([0.4, 0.5])
            with pytest.raises(ValueError, match="got a sum of inf"):
                function([math.inf, 0.0])
            with pytest.raises(ValueError, match="got a sum of 0;"):
                function([])
        for function in TWO.values():
            with pytest.raises(
                ValueError, match=r"expected q to sum to 1 .*sum of 1.2"
            ):
                function([0.5, 0.5], [0.6, 0.6])
            with pytest.raises(ValueError, match="expected p >= 0"):
                function([-1.0, 2.0], [0.5, 0.5])
        with pytest.raises(ValueError, match=r"expected joint to sum to 1 .*sum of 2"):
            mutual_information([[0.5, 0.5], [0.5, 0.5]])
        with pytest.raises(ValueError, match=r"expected joint >= 0, got -0.5"):
            mutual_information([[-0.5, 0.5], [0.5, 0.5]])

    def test_the_worst_row_of_a_batch_is_named(self):
        batch = torch.tensor([[0.5, 0.5], [0.5, 0.25], [0.5, 0.375]])
        with pytest.raises(
            ValueError, match=r"along dim=1 within 3.5e-04, got .* 0.75;"
        ):
            entropy(batch, dim=1)

    @pytest.mark.parametrize("dtype", dtypes)
    def test_the_tolerance_is_the_root_of_epsilon_or_1e_6(self, dtype):
        tolerance = max(1e-6, math.sqrt(torch.finfo(dtype).eps))
        p = torch.tensor([0.5, 0.5], dtype=dtype)
        entropy(p + torch.tensor([0.8 * tolerance, 0]).to(dtype))
        with pytest.raises(ValueError, match="expected p to sum to 1"):
            entropy(p + torch.tensor([1.3 * tolerance, 0]).to(dtype))

    def test_long_distributions_pass(self):
        p = torch.rand(8, 50_000, generator=torch.Generator().manual_seed(0)).softmax(
            -1
        )
        for dtype in dtypes:
            assert entropy(p.to(dtype)).isfinite().all()  # float64 from float32 as well
        assert entropy(p[0].tolist()).dtype == torch.float64

    def test_shapes(self):
        for function in TWO.values():
            with pytest.raises(
                ValueError, match=r"one shape .*\(2,\) on cpu and \(3,\)"
            ):
                function([0.5, 0.5], [0.5, 0.25, 0.25])
            with pytest.raises(ValueError, match=r"\(1, 2\) on cpu and \(2,\) on cpu"):
                function(torch.full((1, 2), 0.5), torch.full((2,), 0.5))
            with pytest.raises(ValueError, match=r"on cpu and \(2,\) on meta"):
                function(torch.full((2,), 0.5), torch.full((2,), 0.5, device="meta"))
        with pytest.raises(ValueError, match="two axes or more, got 1"):
            mutual_information([1.0])
        with pytest.raises(ValueError, match=r"one axis, got the shape \(1, 2\)"):
            huffman_code_lengths([[0.5, 0.5]])
        with pytest.raises(IndexError, match="an axis of p, which has 1, got dim=1"):
            entropy([0.5, 0.5], dim=1)
        with pytest.raises(IndexError, match="which has 0"):
            entropy(torch.tensor(1.0))

    @pytest.mark.parametrize("base", [0, -2, 1, 1.0, True, False, math.nan, math.inf])
    def test_bases_without_a_logarithm(self, base):
        for function in TWO.values():
            with pytest.raises(
                ValueError, match="expected base > 0 and not 1, got base="
            ):
                function([0.5, 0.5], [0.5, 0.5], base)
        with pytest.raises(ValueError, match="expected base > 0 and not 1"):
            mutual_information([[1.0]], base)

    def test_types(self):
        with pytest.raises(TypeError, match="expected base to be a number or None"):
            entropy([0.5, 0.5], "2")
        ragged, boolean = [[0.5], [0.25, 0.25]], torch.tensor([True])
        for p in (["a"], [0.5, None], [True, False], [1j], None, {0.5}, "1", ragged,
                  boolean, torch.tensor([1j])):  # fmt: skip
            with pytest.raises(TypeError, match="expected p to hold real numbers"):
                entropy(p)
        with pytest.raises(TypeError, match=r"expected p to hold real numbers: .*grad"):
            entropy([torch.tensor(1.0, requires_grad=True)])


def complete_trees(n: int) -> set[tuple[int, ...]]:
    """Return the sorted leaf depths of every full binary tree with n leaves."""
    if n == 1:
        return {(0,)}
    return {
        tuple(sorted(depth + 1 for depth in left + right))
        for i in range(1, n // 2 + 1)
        for left in complete_trees(i)
        for right in complete_trees(n - i)
    }


class TestHuffman:
    def test_hand_worked(self):
        """C043: the mean length meets the entropy where all are powers of 1/2."""
        lengths = huffman_code_lengths(H4)
        assert lengths == [1, 2, 3, 3]
        assert sum(p * n for p, n in zip(H4, lengths, strict=True)) == 1.75

    def test_one_symbol_and_impossible_ones(self):
        assert huffman_code_lengths([1.0]) == [0]
        assert huffman_code_lengths([0, 1.0, 0]) == [0, 0, 0]
        assert huffman_code_lengths([0.5, 0, 0.25, 0, 0.25]) == [1, 0, 2, 0, 2]

    def test_ties_are_broken_by_age(self):
        assert huffman_code_lengths([0.25] * 4) == [2, 2, 2, 2]
        assert huffman_code_lengths([1 / 3] * 3) == [2, 2, 1]
        p = [0.4, 0.2, 0.2, 0.1, 0.1]  # (1, 2, 3, 4, 4) costs 2.2 bits as well
        assert huffman_code_lengths(p) == [2, 2, 2, 3, 3]

    def test_returns_ints_for_tensors(self):
        p = torch.tensor(H4, requires_grad=True)
        assert [type(n) for n in huffman_code_lengths(p)] == 4 * [int]

    @many
    @given(distributions())
    def test_kraft_and_shannon(self, p):
        lengths = torch.tensor(huffman_code_lengths(p), dtype=torch.float64)
        possible = p > 0
        if lengths[possible].max() < 1000:
            assert (2 ** -lengths[possible]).sum() == 1
        L, H = (p * lengths).sum(), entropy(p, 2)
        assert H - 1e-12 <= L <= H + 1  # < but for rounding

    @many
    @given(st.lists(st.integers(1, 12), min_size=1, max_size=7))
    def test_optimal_by_brute_force(self, counts):
        cost, _, trees = self.brute_force(counts)
        assert cost == min(trees.values())

    @many
    @given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    def test_the_longest_word_is_short(self, counts):
        """As short as it can be, where sums are exact: multiples of a power of 2."""
        total = 2 ** math.ceil(math.log2(sum(counts)))
        counts = [*counts, *([total - sum(counts)] if total > sum(counts) else [])]
        cost, longest, trees = self.brute_force(counts)
        assert longest == min(tree[-1] for tree, c in trees.items() if c == cost)

    def brute_force(self, counts):
        """Return cost and longest word, and the cost of every complete tree."""
        lengths = huffman_code_lengths([n / sum(counts) for n in counts])
        cost = sum(n * length for n, length in zip(counts, lengths, strict=True))
        ranked = sorted(counts, reverse=True)
        trees = {
            tree: sum(n * depth for n, depth in zip(ranked, tree, strict=True))
            for tree in complete_trees(len(counts))
        }
        return cost, max(lengths), trees

    def test_long_chains_are_no_trouble(self):
        n = 1000
        p = 2.0 ** -np.arange(1, n + 1)
        p[-1] *= 2
        assert huffman_code_lengths(p) == [*range(1, n), n - 1]
