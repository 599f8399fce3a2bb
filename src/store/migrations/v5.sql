-- Since when a live generation's seal does not open: whoever has no key can tell it by that.
ALTER TABLE generation ADD COLUMN broken_since INTEGER;

-- Whether a run did its work to the end although it ended with 74, because of damaged rows.
ALTER TABLE run ADD COLUMN worked INTEGER;
