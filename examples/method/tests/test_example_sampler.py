"""Every class in turn, from any iteration on."""

from __future__ import annotations

from itertools import islice

from methods.example.sampler import ExampleSampler


class Images(list):
    """Six images of class 1, two of class 3."""

    rarest = (1, 1, 3, 1, 1, 1, 3, 1)


def sampler() -> ExampleSampler:
    return ExampleSampler(Images(range(8)), seed=0)


def test_classes_take_turns_and_passes_are_counted_class_by_class() -> None:
    drawn = list(islice(sampler(), 8))
    assert [Images.rarest[index] for _, index in drawn] == [1, 3] * 4
    assert {index for _, index in drawn[1:4:2]} == {2, 6}
    assert [epoch for epoch, _ in drawn] == [0, 0, 0, 0, 0, 1, 0, 1]


def test_a_training_that_was_stopped_goes_on_with_the_same_images() -> None:
    whole, later = sampler(), sampler()
    whole.seek(0, batch_size=3)
    later.seek(2, batch_size=3)
    assert list(islice(whole, 6, 12)) == list(islice(later, 6))


def test_an_epoch_draws_as_many_images_as_there_are() -> None:
    assert sampler().epoch_length(batch_size=3) == 3
