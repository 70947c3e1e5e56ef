"""The review desk: one page of a finished episode for who has to approve of it. It needs nothing but itself and the sound beside it.

`lanes` and `signal` say what was heard, `originals` where the recordings are, `shown` what apps will show of it; `views` puts
that together, `page` makes a page of it, `shelf` writes it beside the episode, and `produce serve` answers with it.
"""
