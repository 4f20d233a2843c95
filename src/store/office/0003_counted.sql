-- What kiosks counted is an event like everything else that a report is made of; the totals kept so far become one
-- event for each kiosk and day, told at the newest moment on record.
INSERT INTO event (seq, at, business_date, type, who, details)
SELECT newest.seq + row_number() OVER (ORDER BY day.business_date, day.kiosk), newest.at, newest.business_date,
       'kiosk_counted', day.kiosk,
       json_object(
           'type', 'kiosk_counted', 'kiosk', day.kiosk, 'date', day.business_date,
           'lines', json((
               SELECT json_group_array(json_object(
                   'procedure', u.procedure, 'step', u.step, 'outcome', u.outcome, 'count', u.count))
               FROM kiosk_usage u WHERE u.business_date = day.business_date AND u.kiosk = day.kiosk)),
           'marks', json((
               SELECT json_group_array(json_object('mark', m.mark, 'count', m.count))
               FROM kiosk_mark m WHERE m.business_date = day.business_date AND m.kiosk = day.kiosk)))
FROM (SELECT business_date, kiosk FROM kiosk_usage UNION SELECT business_date, kiosk FROM kiosk_mark) AS day,
     (SELECT seq, at, business_date FROM event ORDER BY seq DESC LIMIT 1) AS newest;
DROP TABLE kiosk_usage;
DROP TABLE kiosk_mark;
CREATE INDEX event_counted ON event (business_date, seq) WHERE type = 'kiosk_counted';
