"""The listener's pages: the show, its series and its episodes as HTML that needs nothing but itself and the sound.

`pages` says which files there are, as values that are made when they are asked for: `shelf` writes them under build/, `produce serve` answers with
them. A page more is one more `page.File` in its list.
"""
